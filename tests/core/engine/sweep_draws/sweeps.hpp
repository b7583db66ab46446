// Whole sweeps: model, prompts, place, change, metrics, and what may stand beside them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine/sweep_draws/changes.hpp"
#include "core/engine/sweep_draws/metrics.hpp"

namespace diopter::engine::testing::draws {

struct DrawnSweep {
  Sweep sweep;
  DrawnPrompts prompts;
  std::string change;    // kind of it
  bool listen = true;    // chunks are asked for
  bool mistake = false;  // made to be refused
  std::string text;
};

// The points that edits, frozen values and observers may take besides those already taken. Where heads read inputs of
// their own, nobody reads the norm that they share: an edit of it would be refused.
class PointsLeft {
 public:
  enum class Use { Edit, Observe };
  PointsLeft(const HookTable& hooks, const HookSet& edited) : hooks_(hooks) {
    changed_ = hooks.resolve(edited);
    for (const HookId id : changed_) take(hooks.point(id), Use::Edit);
  }

  // One point of a layer or of all layers, or of the model; often one that fires next to what is changed.
  std::string draw(Use use) {
    std::vector<HookId> left, close;
    const HookId changed = pick(changed_);
    for (HookId id = 0; id < hooks_.size(); ++id) {
      const Point point = hooks_.point(id);
      if ((split(point) && shared_edited_) || (use == Use::Edit && shared(point) && split_used_)) continue;
      left.push_back(id);
      if (std::abs(id - changed) <= 3) close.push_back(id);
    }
    last_ = pick(coin() && !close.empty() ? close : left);
    take(hooks_.point(last_), use);
    const std::string name(hooks_[last_].name);
    if (hooks_[last_].layer < 0 || coin()) return name;
    return fmt::format("blocks.*{}", name.substr(name.find('.', 7)));
  }
  HookId last() const { return last_; }

 private:
  static bool split(Point p) { return p >= Point::AttnIn && p <= Point::VInput; }
  static bool shared(Point p) { return p == Point::Ln1Scale || p == Point::Ln1Normalized; }
  void take(Point point, Use use) {
    split_used_ = split_used_ || split(point);
    shared_edited_ = shared_edited_ || (use == Use::Edit && shared(point));
  }

  const HookTable& hooks_;
  std::vector<HookId> changed_;
  bool split_used_ = false, shared_edited_ = false;
  HookId last_ = kNoHook;
};

// An edit that stays through base and cells, where every row has a place for it. Cells that are verified keep logits
// other than 0, by which differences are measured.
inline void draw_edit(Edits& edits, PointsLeft& left, const HookTable& hooks, const DrawnPrompts& prompts, Rows rows,
                      std::string& text) {
  const std::string glob = left.draw(PointsLeft::Use::Edit);
  const HookPoint& point = hooks[left.last()];
  const bool scale = point.dims.back() == "scale", pairs = point.dims.back() == "src";
  Where where;
  const Index at = below(3);
  if (at == 1) where.positions = {0};
  if (at == 2) where.positions = {-1};
  if (contains(std::vector<Text>(point.dims.begin(), point.dims.end()), Text("head")) && coin()) where.heads = {-1};
  const Index size = pairs ? 1 : hooks.shape(left.last(), 1, 1).back();
  const auto change = [&]() -> std::pair<Change, const char*> {
    switch (below(7)) {
      case 1: return {Change::scale(0.5), "times 0.5"};
      case 2:
        if (!scale && rows != Rows::Alone) return {Change::zero(), "zero"};
        break;
      case 3: return {Change::mean(Prompts::tokens(padded({draw_row(kLongest), draw_row(3)}))), "mean"};
      case 4:
        if (prompts.equal_lengths && !prompts.align.defined()) return {Change::replace(prompts.donor), "by the donor"};
        break;
      case 5: return {Change::freeze(), "frozen"};
      case 6: return {Change::replace(scale ? normal({1}).abs() + 0.5 : normal({size})), "by a tensor"};
      default: break;
    }
    return {Change::add(scale ? normal({1}).abs() : normal({size}), 0.5), "plus a tensor"};
  };
  auto [drawn, name] = change();
  text += fmt::format("\nedit of {}: {}{}{}", glob, name,
                      at == 1   ? " at 0"
                      : at == 2 ? " at -1"
                                : "",
                      where.heads.empty() ? "" : ", head -1");
  edits.at(HookSet(glob), std::move(drawn), std::move(where));
}

inline HookSet draw_points(PointsLeft& left, PointsLeft::Use use, std::string& text) {
  std::vector<std::string> globs;
  for (Index more = between(1, 2); more > 0; --more) globs.push_back(left.draw(use));
  text += fmt::format("{}", globs);
  return HookSet(globs);
}

// What a user gets wrong.
inline void make_mistake(DrawnSweep& drawn, const DrawnPlace& place) {
  Sweep& sweep = drawn.sweep;
  static const std::vector<std::string> kMistakes = {"an axis twice",      "an unknown axis", "a metric outside",
                                                     "a misspelt hook",    "a head outside",  "a list without its axis",
                                                     "nobody to tell",     "a wrong shape",   "a mean of short prompts",
                                                     "an edit of nothing", "no metric"};
  const Index which = below(static_cast<Index>(kMistakes.size()));
  drawn.text += fmt::format("\nmistake: {}", kMistakes[static_cast<std::size_t>(which)]);
  switch (which) {
    case 0: sweep.axes.insert(sweep.axes.end(), {{"pos"}, {"pos"}}); break;
    case 1: sweep.axes.push_back({"position"}); break;
    case 2: sweep.metrics.push_back(Metric::named("logit", {40})); break;
    case 3: sweep.hooks = "blocks.{layer}.hook_resid_per"; break;
    case 4: sweep.where.heads = {9}; break;
    case 5: sweep.change = Change::scale({{1, 2}}); break;
    case 6:
      sweep.observe = "hook_embed";
      drawn.listen = false;
      break;
    case 7: sweep.change = Change::replace(normal({place.sizes.back() + 1})); break;
    case 8: sweep.change = Change::mean(Prompts::tokens(padded({draw_row(1)}))); break;
    case 9: sweep.edits.at("hook_embed", Change::zero(), {.positions = {-40}}); break;
    default: sweep.metrics.clear();
  }
}

class SweepDraw {
 public:
  // `session`: of the model that the sweep is for, to capture with.
  SweepDraw(const ModelInfo& info, const HookTable& hooks, Session& session)
      : info_(info), hooks_(hooks), session_(session) {}

  // Its on_chunk is left to the caller.
  DrawnSweep operator()(Point point, const std::vector<std::string>& metrics, Rows rows) {
    DrawnSweep out{.sweep = {.into = {}, .hooks = {}, .axes = {}, .change = Change::zero(), .metrics = {}},
                   .prompts = draw_prompts(needs_of(metrics)),
                   .change = {},
                   .text = {}};
    Sweep& sweep = out.sweep;
    DrawnPlace place = PlaceDraw(info_, hooks_, out.prompts, point, rows).take();
    DrawnChange change = ChangeDraw(info_, out.prompts, place,
                                    [&] { return session_.capture(out.prompts.donor, place.hooks, {}, {}); })();
    DrawnMetrics read = MetricDraw(out.prompts, rows)(metrics);
    out.change = change.kind;
    out.text = fmt::format("{} layers, {} of {} heads; {}\n{}; {}\nread {}", info_.n_layers, info_.n_kv_heads,
                           info_.n_heads, out.prompts.text, place.text, change.text, read.text);
    std::vector<Axis> axes = place.axes;
    axes.insert(axes.end(), change.axes.begin(), change.axes.end());
    const auto count = static_cast<Index>(axes.size());
    sweep = {.into = out.prompts.into,
             .hooks = place.hooks,
             .axes = some(std::move(axes), count),
             .change = std::move(change.change),
             .metrics = std::move(read.metrics),
             .where = place.where,
             .align = out.prompts.align};
    PointsLeft left(hooks_, place.hooks);
    if (rarely(5)) {
      for (Index more = between(1, 2); more > 0; --more)
        draw_edit(sweep.edits, left, hooks_, out.prompts, rows, out.text);
    }
    if (rarely(5)) {
      out.text += "\nfreeze ";
      sweep.freeze = draw_points(left, PointsLeft::Use::Edit, out.text);
    }
    if (rarely(6)) {
      out.text += "\nobserve ";
      sweep.observe = draw_points(left, PointsLeft::Use::Observe, out.text);
    }
    out.listen = !sweep.observe.empty() || rarely(3);
    out.mistake = rarely(30);
    if (out.mistake) make_mistake(out, place);
    return out;
  }

 private:
  const ModelInfo& info_;
  const HookTable& hooks_;
  Session& session_;
};

}  // namespace diopter::engine::testing::draws
