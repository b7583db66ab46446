#include "engine/generate_edits.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include <diopter/error.hpp>

#include "base/hints.hpp"

namespace diopter::engine {
namespace {

bool names_generated(const Positions& positions) {
  const auto& terms = positions.spec().terms;
  return std::any_of(terms.begin(), terms.end(),
                     [](const auto& term) { return std::holds_alternative<PositionsSpec::Generated>(term); });
}

// Whether any position after a prompt of this length may be among them.
bool may_follow(const Positions& positions, Index prompt) {
  const auto& terms = positions.spec().terms;
  return std::any_of(terms.begin(), terms.end(), [&](const auto& term) {
    if (std::holds_alternative<PositionsSpec::PromptPart>(term)) return false;
    const auto* listed = std::get_if<PositionsSpec::Indices>(&term);
    return listed == nullptr || std::any_of(listed->values.begin(), listed->values.end(),
                                            [&](Index position) { return position >= prompt; });
  });
}

// The step in which each of these prompts' rows is at its position.
RowBatch step_at(const RowBatch& prompts, std::vector<Index> rows, std::vector<Index> positions) {
  const at::Tensor tokens = at::zeros({static_cast<Index>(rows.size())}, at::kLong);
  return step_batch(prompts, tokens, {.prompt = std::move(rows), .position = std::move(positions)});
}

}  // namespace

void EditTally::record(Index edits, RunMonitor& monitor) const {
  for (Index number = 1; number <= edits; ++number) {
    if (!fired.contains(number)) {
      monitor.event("edit-not-reached",
                    fmt::format("edit {} never fired: every text ended before its positions", number));
    } else if (!changed.contains(number)) {
      monitor.event("edit-unchanged", fmt::format("edit {} fired but changed no bit", number));
    }
  }
}

GenerateEdits::GenerateEdits(Workplace& work, const Edits& edits, std::string kind, std::vector<Index> last,
                             EditTally& tally)
    : work_(work), kind_(std::move(kind)), last_(std::move(last)), tally_(tally) {
  Index number = 0;
  for (const Edits::Item& edit : edits.items()) {
    items_.push_back({&edit, ++number, points_of(edit, work_.place().hooks, work_.place().info), {}});
  }
  work_.want(edits);
}

bool GenerateEdits::touches(const Edits::Item& edit, const RowBatch& step) const {
  const TokenCodec* codec = work_.place().codec;
  const RowPositions queries = resolve(edit.where.positions, step, codec);
  const RowPositions keys = resolve(edit.where.sources, step, codec, Dimension::Keys);
  for (Index row = 0; row < step.size(); ++row) {
    if (!queries.empty(row) && !keys.empty(row)) return true;
  }
  return false;
}

std::vector<Index> GenerateEdits::furthest_of(const Edits::Item& edit) const {
  const RowBatch& prompts = work_.batch();
  std::vector<Index> furthest(last_.size(), kUnset);
  if (!reaches_generated(edit.change.spec())) return furthest;
  for (Index row = 0; row < prompts.size(); ++row) {
    const auto index = static_cast<std::size_t>(row);
    if (!may_follow(edit.where.positions, prompts.lengths[index])) continue;
    for (Index position = last_[index]; position >= prompts.lengths[index] && furthest[index] == kUnset; --position) {
      if (touches(edit, step_at(prompts, {row}, {position}))) furthest[index] = position;
    }
  }
  return furthest;
}

// What other runs give ends with their prompts.
void GenerateEdits::check_generated(const Item& item) const {
  const ChangeSpec& change = item.edit->change.spec();
  if (reaches_generated(change)) return;
  const bool freeze = change.op == ChangeSpec::Op::Freeze;
  const auto& terms = item.edit->where.positions.spec().terms;
  const bool only_prompt = std::all_of(terms.begin(), terms.end(), [](const auto& term) {
    return !std::holds_alternative<PositionsSpec::All>(term) && !std::holds_alternative<PositionsSpec::From>(term) &&
           !std::holds_alternative<PositionsSpec::Generated>(term);
  });
  if (freeze ? only_prompt : !names_generated(item.edit->where.positions)) return;
  throw Error(
      fmt::format("edit {} {}, which has no value at generated positions (it selects {}); write positions = \"prompt\"",
                  item.number, freeze ? "freezes to the unedited run" : "takes another run's values",
                  text_of(item.edit->where.positions)));
}

void GenerateEdits::check_fires(const Item& item, const EditedPoint& point, const std::vector<bool>& touches) const {
  const RowBatch& prompts = work_.batch();
  for (Index row = 0; row < prompts.size(); ++row) {
    const auto index = static_cast<std::size_t>(row);
    if (touches[index] || item.furthest[index] != kUnset || left_out(item.edit->where, prompts, row)) continue;
    throw Error(fmt::format(
        "edit {} {}at '{}' selects positions {} of a {} token prompt, of whose continuation the model reads at most {} "
        "tokens, and would never fire; correct the positions.",
        item.number, kind_.empty() ? "" : fmt::format("of kind {} ", base::quoted(kind_)),
        work_.place().hooks[point.id].name, text_of(item.edit->where.positions), prompts.lengths[index],
        last_[index] - prompts.lengths[index] + 1));
  }
}

void GenerateEdits::prepare() {
  const RowBatch& prompts = work_.batch();
  for (Item& item : items_) {
    check_generated(item);
    item.furthest = furthest_of(*item.edit);
  }
  work_.sources().make();
  for (const Item& item : items_) {
    for (const EditedPoint& point : item.points) {
      BoundChange change =
          work_.compiler().bind(item.edit->change.spec(), point.id, item.edit->where, item.number, point.layer);
      check_fires(item, point, change.touches);
      const bool any = std::any_of(change.touches.begin(), change.touches.end(), [](bool touched) { return touched; });
      if (any) prompt_edits_.push_back(std::move(change.edit));
    }
    // Once on trial: a tensor that does not fit a step, a mean too short for it.
    std::vector<Index> rows, positions;
    for (Index row = 0; row < prompts.size(); ++row) {
      const Index position = item.furthest[static_cast<std::size_t>(row)];
      if (position == kUnset) continue;
      rows.push_back(row);
      positions.push_back(position);
    }
    if (!rows.empty()) bound_to_step(item, step_at(prompts, rows, positions));
  }
}

std::vector<BoundEdit> GenerateEdits::bound_to_step(const Item& item, const RowBatch& step) const {
  const Place place{step, work_.place().info, work_.place().hooks, work_.place().codec, work_.place().device};
  const EditCompiler compiler(place, work_.sources(), work_.runner().values());
  std::vector<BoundEdit> edits;
  for (const EditedPoint& point : item.points) {
    edits.push_back(compiler.bind(item.edit->change.spec(), point.id, item.edit->where, item.number, point.layer).edit);
  }
  return edits;
}

void GenerateEdits::add(HookBus& bus, BoundEdit edit) {
  bound_.insert(edit.number);
  bus.add(std::move(edit));
}

void GenerateEdits::add_to_prompts(HookBus& bus) {
  bound_.clear();
  for (BoundEdit& edit : prompt_edits_) add(bus, std::move(edit));
  prompt_edits_.clear();
}

void GenerateEdits::add_to_step(HookBus& bus, const RowBatch& step) {
  bound_.clear();
  for (const Item& item : items_) {
    if (!reaches_generated(item.edit->change.spec()) || !touches(*item.edit, step)) continue;
    for (BoundEdit& edit : bound_to_step(item, step)) add(bus, std::move(edit));
  }
}

void GenerateEdits::ran(const std::vector<Index>& unchanged) {
  tally_.fired.insert(bound_.begin(), bound_.end());
  for (const Index number : bound_) {
    if (std::find(unchanged.begin(), unchanged.end(), number) == unchanged.end()) tally_.changed.insert(number);
  }
}

}  // namespace diopter::engine
