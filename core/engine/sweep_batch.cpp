#include "engine/sweep_batch.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/clean_reference.hpp"
#include "engine/packed/run_beside.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

std::vector<HookId> resolved(const HookSet& points, const HookTable& hooks) {
  return points.empty() ? std::vector<HookId>{} : hooks.resolve(points);
}

at::Tensor rows_tensor(const std::vector<bool>& rows) {
  at::Tensor out = at::zeros({static_cast<Index>(rows.size())}, at::kBool);
  for (std::size_t row = 0; row < rows.size(); ++row) out[static_cast<Index>(row)] = bool(rows[row]);
  return out;
}

void add_missing(std::vector<HookId>& ids, const std::vector<HookId>& more) {
  for (const HookId id : more) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
}

// What one change touches, without the positions that have no counterpart in the donor.
RowPositions with_counterpart(RowPositions positions, const at::Tensor& align) {
  if (!align.defined()) return positions;
  const auto places = align.accessor<Index, 2>();
  for (std::size_t row = 0; row < positions.of.size(); ++row) {
    for (Index& pos : positions.of[row]) {
      if (pos != kUnset && places[static_cast<Index>(row)][pos] == kUnset) pos = kUnset;
    }
  }
  return positions;
}

}  // namespace

SweepBatch::SweepBatch(Runner& runner, const Sweep& sweep, const RowBatch& batch, std::vector<HookId> points,
                       std::vector<HookId> observed, const ForwardPath& path, const TokenCodec* codec, Index max_rows,
                       const SessionOptions& options)
    : SweepBatch(runner, sweep, batch, std::move(observed), path, codec, max_rows) {
  want(points, {});
  work_.sources().make();
  edits_ = work_.bind(sweep_.edits, options.kind);
  const ForwardResult base = run_base({});
  read_references(base, {});
  base_ = reader_.read(base);
  NoOps::Donor donor;
  if (puts_donor()) {
    run_donor();
    donor = {equal_prefix(batch_, donor_batch()), donor_align()};
  }
  no_ops_.emplace(sweep, runner.hooks(), runner.info().n_layers, reader_, std::move(donor));
}

SweepBatch::SweepBatch(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const RowBatch& batch,
                       std::vector<HookId> observed, const ForwardPath& path, const TokenCodec* codec, Index max_rows,
                       const SessionOptions& options)
    : SweepBatch(runner, sweep, batch, std::move(observed), path, codec, max_rows) {
  const std::vector<HookId> of_donor = PackedCells::donor_points(sweep, plan, runner.model());
  want(plan.points(), of_donor);
  const HookId last = runner.hooks().id(Point::ResidPost, runner.info().n_layers - 1);
  const bool alike = puts_donor() && donor_is_read_alike();
  if (alike) work_.sources().want_donor(*sweep.change.spec().donor, sweep.align, last);

  std::vector<HookId> kept = kept_of_base(plan);
  const bool beside = puts_donor() && shares_with_donor();
  const ForwardResult base = beside ? run_base_then_donor(std::move(kept)) : run_sources_then_base(kept, options);
  // A donor that ran beside is whole only now, so its stream is at hand for the references.
  read_references(base, beside && alike ? clean_of_donor(donor_value(last)) : at::Tensor());
  pack(plan, of_donor);
  base_ = packed_ ? packed_->base() : reader_.read(base);
  if (packed_ && alike) donor_ = packed_->of_donor(donor_value(last));
  else if (puts_donor()) run_donor();
  if (packed_) runner_.count_operations(packed_->operations());
}

SweepBatch::SweepBatch(Runner& runner, const Sweep& sweep, const RowBatch& batch, std::vector<HookId> observed,
                       const ForwardPath& path, const TokenCodec* codec, Index max_rows)
    : runner_(runner),
      sweep_(sweep),
      batch_(batch),
      frozen_(resolved(sweep.freeze, runner.hooks())),
      observed_ids_(std::move(observed)),
      work_(runner, batch_, codec, path, max_rows),
      reader_(sweep.metrics, batch_, batch_.rows, codec, runner.values().device(), runner.info().d_vocab) {
  for (const HookId id : observed_ids_) observed_.emplace_back(Where{}, id, work_.place());
}

// What the base run keeps for the cells, and for what is observed of them.
std::vector<HookId> SweepBatch::kept_of_base(const SweepPlan& plan) const {
  std::vector<HookId> kept = PackedCells::points(plan, runner_.model());
  add_missing(kept, observed_ids_);
  return kept;
}

// The donor's run takes from the base run what the two have in common, so that one keeps more.
ForwardResult SweepBatch::run_base_then_donor(std::vector<HookId> kept) {
  const std::set<HookId>& of_donor = work_.sources().wanted_of_donor(*sweep_.change.spec().donor);
  add_missing(kept, {of_donor.begin(), of_donor.end()});
  add_missing(kept, KeptRun::points(runner_.hooks(), runner_.info(), 0));
  ForwardResult base = run_base(kept);
  work_.sources().make([this](const RowBatch& donor, std::span<const HookId> ids) {
    BesideRun run = run_beside(runner_.model(), batch_, kept_values_, donor, ids, reader_, work_.path().kernels);
    runner_.count_operations(run.operations);
    return std::move(run.values);
  });
  return base;
}

// The sweep's edits of the base run may put what the sources hold.
ForwardResult SweepBatch::run_sources_then_base(const std::vector<HookId>& kept, const SessionOptions& options) {
  work_.sources().make();
  edits_ = work_.bind(sweep_.edits, options.kind);
  return run_base(kept);
}

bool SweepBatch::puts_donor() const {
  const ChangeSpec& change = sweep_.change.spec();
  return change.donor && change.op == ChangeSpec::Op::Replace;
}
const RowBatch& SweepBatch::donor_batch() { return work_.sources().donor_batch(*sweep_.change.spec().donor); }
const at::Tensor& SweepBatch::donor_align() { return work_.sources().donor_align(*sweep_.change.spec().donor); }
const at::Tensor& SweepBatch::donor_value(HookId id) {
  return work_.sources().donor(*sweep_.change.spec().donor, id).value;
}

void SweepBatch::want(const std::vector<HookId>& points, const std::vector<HookId>& of_donor) {
  work_.want(sweep_.edits);
  for (const HookId id : points) work_.compiler().want(sweep_.change.spec(), id, sweep_.align);
  for (const HookId id : of_donor) work_.sources().want_donor(*sweep_.change.spec().donor, sweep_.align, id);
}

// Whether a good part of the donor's run is the base run, unedited, which is then made first.
bool SweepBatch::shares_with_donor() {
  constexpr double kWorthwhile = 0.25;  // less is not worth a walk of its own
  return sweep_.edits.empty() && PackedCells::why_plain(sweep_, runner_.model()).empty() &&
         shared_part(batch_, donor_batch()) >= kWorthwhile;
}

std::vector<at::Tensor> SweepBatch::without_padding(const std::vector<at::Tensor>& observed) const {
  std::vector<at::Tensor> out;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    std::vector<at::Tensor> cells;
    for (const at::Tensor& cell : observed[i].unbind(0)) cells.push_back(observed_[i].narrow(cell));
    out.push_back(at::stack(cells));
  }
  return out;
}

// What every cell and the base run have: the sweep's edits; then, in cells only, the frozen points.
std::vector<PackedEdit> SweepBatch::everywhere() {
  std::vector<PackedEdit> all;
  const auto dtype = c10::typeMetaToScalarType(runner_.values().dtype());
  for (const Edits::Item& item : sweep_.edits.items()) {
    Operands operands(work_.compiler(), work_.place(), dtype);
    for (const auto& [id, layer] : points_of(item, runner_.hooks(), runner_.info()))
      all.push_back(operands.edit(item.change.spec(), id, item.where, layer));
  }
  const ChangeSpec held{.op = ChangeSpec::Op::Freeze};
  for (const auto& [id, value] : frozen_values_) {
    const bool pairs = runner_.hooks()[id].dims.back() == "src";
    const Operand kept{.value = pairs ? value.to(at::kFloat) : value, .available = {}};
    all.emplace_back(held, id, Where{}, work_.place(), std::make_shared<const Operand>(kept), dtype);
  }
  return all;
}

void SweepBatch::pack(const SweepPlan& plan, const std::vector<HookId>& of_donor) {
  // Of one point a look ahead meets base values; of several it may meet what another has changed.
  using Op = ChangeSpec::Op;
  const Op op = sweep_.change.spec().op;
  const bool puts = op == Op::Replace || op == Op::Add || op == Op::Mean;
  const bool pairs = std::any_of(plan.points().begin(), plan.points().end(),
                                 [&](HookId id) { return runner_.hooks()[id].dims.back() == "src"; });
  if (puts && pairs && plan.several_points()) return;
  std::vector<PackedEdit> edits = everywhere();
  if (std::any_of(edits.begin(), edits.end(), [](const PackedEdit& edit) { return !edit.causal(); })) return;
  std::optional<EqualStreams> equal;
  if (puts_donor()) equal.emplace(batch_, donor_batch(), donor_align(), runner_.info());
  for (const HookId id : of_donor) donor_values_[id] = donor_value(id);
  packed_.emplace(PackedSource{.model = runner_.model(),
                               .sweep = sweep_,
                               .plan = plan,
                               .batch = batch_,
                               .place = work_.place(),
                               .compiler = work_.compiler(),
                               .reader = reader_,
                               .base = kept_values_,
                               .everywhere = std::move(edits),
                               .donor = of_donor.empty() ? nullptr : &donor_values_,
                               .equal = std::move(equal),
                               .observed = observed_ids_,
                               .kernels = work_.path().kernels});
}

// The donor's own metrics are read at the positions of the base rows, and its values there are at hand.
bool SweepBatch::donor_is_read_alike() {
  const RowBatch& rows = donor_batch();
  const at::Tensor& align = donor_align();
  const MetricReader reader(sweep_.metrics, rows, batch_.rows, work_.place().codec, runner_.values().device(),
                            runner_.info().d_vocab);
  if (reader.points() != reader_.points() || reader.needs_next_token()) return false;  // those are the donor's own
  for (Index point = 0; point < reader.points(); ++point) {
    const Index row = reader.row_of(point), pos = reader.position_of(point);
    if (reader_.row_of(point) != row || reader_.position_of(point) != pos) return false;
    for (Index at = 0; at <= pos; ++at) {
      if (align.const_data_ptr<Index>()[row * align.stride(0) + at * align.stride(1)] != at) return false;
    }
  }
  return true;
}

ForwardResult SweepBatch::run_base(const std::vector<HookId>& kept) {
  HookBus bus(runner_.hooks());
  for (const BoundEdit& edit : edits_) bus.add(edit);
  bus.observe(frozen_, [this](HookId id, const at::Tensor& value) { frozen_values_[id] = value.contiguous(); });
  bus.observe(kept, [this](HookId id, const at::Tensor& value) { kept_values_[id] = value.contiguous(); });
  return runner_.run(batch_, &bus, work_.path());
}

// Logits of the clean prompts where metrics are read, if they are the donor; `resid` is its stream after the last
// block.
at::Tensor SweepBatch::clean_of_donor(const at::Tensor& resid) {
  if (!reader_.needs_clean() || batch_.rows.data()->side != PromptsData::Side::Corrupted) return {};
  const RowBatch clean = row_batches(batch_.rows.clean(), runner_.info()).front();
  if (!at::equal(clean.ids, donor_batch().ids)) return {};
  return reader_.logits(runner_.counted(ForwardResult(runner_.model(), resid, {}, {})));
}

// What KL metrics compare with, and the scale of rounding errors. `clean`: undefined where the clean run is not known.
void SweepBatch::read_references(const ForwardResult& result, at::Tensor clean) {
  clean_ = clean.defined() ? std::move(clean)
                           : clean_logits(runner_, sweep_.metrics, reader_, batch_, work_.place().codec, work_.path(),
                                          edits_.empty() ? &result : nullptr);
  if (reader_.needs_unpatched()) unpatched_ = reader_.logits(result);
  reader_.compare_with(clean_, unpatched_);
  largest_logit_ = reader_.largest_logit(result);
}

void SweepBatch::run_donor() {
  const RowBatch& rows = donor_batch();
  MetricReader reader(sweep_.metrics, rows, batch_.rows, work_.place().codec, runner_.values().device(),
                      runner_.info().d_vocab);
  if ((reader.needs_clean() || reader.needs_unpatched()) && reader.points() != reader_.points())
    return;  // nothing to compare with
  reader.compare_with(clean_, unpatched_);
  donor_ = reader.read(runner_.run(rows, nullptr, work_.path()));
}

std::vector<BoundEdit> SweepBatch::held() const {
  std::vector<BoundEdit> edits;
  const Index number = static_cast<Index>(sweep_.edits.items().size()) + 2;  // after the sweep's own change in messages
  for (const auto& [id, value] : frozen_values_) {
    edits.push_back({.id = id, .number = number, .apply = [kept = value](const at::Tensor&) { return kept; }});
  }
  return edits;
}

std::vector<BoundChange> SweepBatch::bound(const CellSite& site, const LayerRank& layer) {
  std::vector<BoundChange> changes;
  for (const HookId id : site.ids) {
    LayerRank rank = layer;
    rank.layer = runner_.hooks()[id].layer;
    changes.push_back(work_.compiler().bind(site.change.spec(), id, site.where, number(), rank));
  }
  return changes;
}

HookId SweepBatch::first_not_finite(const CellSite* site, const LayerRank& layer) {
  HookBus bus(runner_.hooks());
  for (const BoundEdit& edit : edits_) bus.add(edit);
  if (site != nullptr) {
    for (BoundEdit& edit : held()) bus.add(std::move(edit));
    for (BoundChange& change : bound(*site, layer)) bus.add(std::move(change.edit));
  }
  std::vector<HookId> inside;
  for (HookId id = 0; id < runner_.hooks().size(); ++id) {
    const bool hidden_are_infinite = runner_.hooks().point(id) == Point::AttnScores;
    if (!stages::after_blocks(runner_.hooks().point(id)) && !hidden_are_infinite) inside.push_back(id);
  }
  HookId first = kNoHook;
  bus.observe(inside, [&](HookId id, const at::Tensor& value) {
    if (first != kNoHook) return;
    std::vector<Index> along(static_cast<std::size_t>(value.dim()), 1);
    const bool pairs = runner_.hooks()[id].dims.back() == "src";
    along[0] = batch_.size();
    along[pairs ? 2 : 1] = batch_.longest();
    const at::Tensor real = batch_.real.to(value.device()).view(along);
    if ((value.isfinite().logical_not() & real).any().item<bool>()) first = id;
  });
  std::vector<Index> unchanged;
  runner_.run(batch_, &bus, work_.path(), &unchanged);
  return first;
}

CellResult SweepBatch::cell(const CellSite& site, const LayerRank& layer, Skipping skipping) {
  std::vector<bool> available(static_cast<std::size_t>(batch_.size()), false), same(available);
  std::vector<BoundEdit> changes;
  for (BoundChange& change : bound(site, layer)) {
    for (std::size_t row = 0; row < available.size(); ++row) available[row] = available[row] || change.touches[row];
    changes.push_back(std::move(change.edit));
  }
  const at::Tensor align = puts_donor() ? donor_align() : at::Tensor();
  const RowPositions dest = with_counterpart(resolve(site.where.positions, batch_, work_.place().codec), align);
  const RowPositions src = with_counterpart(resolve(site.where.sources, batch_, work_.place().codec), align);
  bool any_available = false, all_same = true;
  for (std::size_t row = 0; row < available.size(); ++row) {
    if (!available[row]) continue;
    any_available = true;
    same[row] = skipping == Skipping::Allowed && no_ops_->cannot_differ(site, static_cast<Index>(row), dest,
                                                                        site.where.sources.is_all() ? nullptr : &src);
    all_same = all_same && same[row];
  }

  CellResult result;
  const at::Tensor nan = at::full({}, std::nan(""), at::kDouble), there = rows_tensor(available);
  if (!any_available || all_same) {
    result.how = any_available ? CellResult::How::Skipped : CellResult::How::Unavailable;
    for (const at::Tensor& base : base_) result.values.push_back(at::where(there, base, nan));
    if (observed_ids_.empty()) return result;
    // Observed values are those of the base run: computed below without the change.
    changes.clear();
  }
  HookBus bus(runner_.hooks());
  for (const BoundEdit& edit : edits_) bus.add(edit);
  for (BoundEdit& edit : held()) bus.add(std::move(edit));
  for (BoundEdit& edit : changes) bus.add(std::move(edit));
  result.observed.resize(observed_ids_.size());
  bus.observe(observed_ids_, [&](HookId id, const at::Tensor& value) {
    for (std::size_t i = 0; i < observed_ids_.size(); ++i) {
      if (observed_ids_[i] == id) result.observed[i] = observed_[i].narrow(value).clone();
    }
  });
  std::vector<Index> unchanged;
  const ForwardResult run = runner_.run(batch_, &bus, work_.path(), &unchanged);
  if (result.how != CellResult::How::Computed) return result;
  result.changed = std::find(unchanged.begin(), unchanged.end(), number()) == unchanged.end();
  const at::Tensor kept = rows_tensor(same);
  const std::vector<at::Tensor> values = reader_.read(run);
  for (std::size_t m = 0; m < values.size(); ++m) {
    const at::Tensor broken = there & base_[m].isfinite() & values[m].isfinite().logical_not();
    result.finite = result.finite && !broken.any().item<bool>();
    result.values.push_back(at::where(there, at::where(kept, base_[m], values[m]), nan));
  }
  return result;
}

}  // namespace diopter::engine
