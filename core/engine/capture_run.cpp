#include "engine/capture_run.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <numeric>
#include <unordered_set>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "engine/joined_batches.hpp"
#include "engine/memory.hpp"
#include "engine/workplace.hpp"

namespace diopter::engine {
namespace {

// Fused attention beyond: its explicit form takes memory in the square of the length.
constexpr Index kExplicitUpTo = 2048;

// Keeps values of one forward so that nothing aliases them. The forward writes into nothing that it has shown, so a
// tensor that is the first of its memory, and fills it, is kept as it is: making it again would cost as much as it did.
class Snapshots {
 public:
  explicit Snapshots(bool edited) : edited_(edited) {}

  // `part` of `value`; `held`: by others beyond the forward.
  at::Tensor keep(const at::Tensor& part, const at::Tensor& value, bool held) {
    if (!part.is_alias_of(value)) return part.contiguous();
    const bool whole = part.is_contiguous() && part.storage().nbytes() == part.nbytes();
    // What an edit returns may belong to its author.
    const bool ours = whole && !held && !edited_ && kept_.insert(part.storage().unsafeGetStorageImpl()).second;
    return ours ? part : part.clone(at::MemoryFormat::Contiguous);
  }

 private:
  bool edited_;
  std::unordered_set<const void*> kept_;  // memory of values that live as long as this
};

// What a ForwardResult computes logits from later.
bool held_by_result(const HookPoint& point, Point kind, const ModelInfo& info) {
  switch (kind) {
    case Point::ResidPost: return point.layer == info.n_layers - 1;
    case Point::LnFinalNormalized:
    case Point::UnembedIn:
    case Point::UnembedOut: return true;
    default: return false;
  }
}

at::Tensor without_padding(const at::Tensor& value, const RowBatch& batch) {  // [batch, pos, d]
  if (!batch.padded()) return value;
  return value.masked_fill(batch.real.logical_not().unsqueeze(-1).to(value.device()), std::nan(""));
}

Index product(const std::vector<Index>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>());
}

// Positions that no row has at all would capture nothing but NaN.
void refuse_nowhere(const Where& where, const Selection& selection, const HookPoint& point) {
  if (static_cast<Index>(selection.rows_without().size()) < static_cast<Index>(selection.positions().of.size())) return;
  throw Error(fmt::format("'{}' is captured at positions {}, which no prompt has; correct the positions", point.name,
                          text_of(where.positions)));
}

struct Plan {
  std::vector<HookId> ids;
  ForwardPath path;
};

Plan planned(const Runner& runner, const HookSet& points, const Edits& edits, Index longest) {
  if (!edits.axes().empty())
    throw Error("these edits have a list of coefficients or vectors; capture takes one of Edits::cells()");
  Plan plan;
  if (!points.empty()) plan.ids = runner.hooks().resolve(points);
  for (const HookId id : plan.ids) {
    runner.monitor().check_observes(runner.hooks()[id]);
    plan.path.use(runner.hooks().point(id));
  }
  for (const HookId id : edited_points(edits, runner.hooks(), runner.monitor()))
    plan.path.use(runner.hooks().point(id));
  // Reading the inputs of heads or their results needs no other kernels; only edits and comparisons do.
  if (edits.empty()) plan.path.kernels = {};
  plan.path.kernels.explicit_attention = longest <= kExplicitUpTo;
  return plan;
}

}  // namespace

Capture capture_rows(Runner& runner, const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits,
                     const TokenCodec* codec, const SessionOptions& options) {
  runner.refuse_nested();
  const Index budget = memory_budget(options.memory_budget);
  const Index longest = rows.size() == 0 ? 0 : rows.lengths().max().item<Index>();
  const Plan plan = planned(runner, points, edits, longest);
  const Index max_rows = rows_that_fit(runner.info(), longest, budget);
  const std::vector<RowBatch> batches = row_batches(rows, runner.info(), max_rows);

  ReferenceMeans means;
  std::list<Workplace> places;
  std::vector<std::vector<Selection>> selections(batches.size());  // [batch][point]
  std::vector<CaptureSize> sizes;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    Workplace& work = places.emplace_back(runner, batches[b], codec, plan.path, max_rows, &means);
    for (const HookId id : plan.ids) {
      const Selection& selection = selections[b].emplace_back(where, id, work.place());
      if (batches.size() == 1) refuse_nowhere(where, selection, runner.hooks()[id]);
      sizes.push_back({id, product(selection.sizes()) * static_cast<Index>(runner.values().dtype().itemsize())});
    }
  }
  check_capture_fits(sizes, runner.hooks(), budget);

  std::vector<std::vector<at::Tensor>> values(plan.ids.size());
  std::vector<at::Tensor> resid;
  auto results = std::make_shared<std::vector<ForwardResult>>();
  std::size_t b = 0;
  for (Workplace& work : places) {
    work.want(edits);
    work.sources().make();
    HookBus bus(runner.hooks());
    for (BoundEdit& edit : work.bind(edits, options.kind)) bus.add(std::move(edit));
    Snapshots snapshots(!edits.empty());
    bus.observe(plan.ids, [&](HookId id, const at::Tensor& value) {
      const auto at =
          static_cast<std::size_t>(std::lower_bound(plan.ids.begin(), plan.ids.end(), id) - plan.ids.begin());
      const bool held = held_by_result(runner.hooks()[id], runner.hooks().point(id), runner.info());
      values[at].push_back(snapshots.keep(selections[b][at].narrow(value), value, held));
    });
    results->push_back(runner.run(batches[b], &bus, plan.path));
    resid.push_back(without_padding(results->back().resid(), batches[b]).clone());
    ++b;
  }

  auto data = std::make_shared<CaptureData>(CaptureData{.hooks = runner.hooks(),
                                                        .ids = plan.ids,
                                                        .items = {},
                                                        .resid = joined_batches(resid),
                                                        .logits = {},
                                                        .rows = rows});
  for (std::size_t i = 0; i < plan.ids.size(); ++i)
    data->items.emplace_back(runner.hooks()[plan.ids[i]], joined_batches(values[i]));
  data->logits = [results, batches, &runner] {
    const c10::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < batches.size(); ++i)
      parts.push_back(without_padding((*results)[i].every_logit(), batches[i]).clone());
    return joined_batches(parts);
  };
  return Capture(data);
}

}  // namespace diopter::engine
