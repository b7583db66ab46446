#include "engine/source_runs.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <diopter/error.hpp>

namespace diopter::engine {
namespace {

// [batch, pos] indices as an index along `dim` of `value`, for gather.
at::Tensor gather_along(const at::Tensor& value, Index dim, const at::Tensor& index) {
  std::vector<Index> view(static_cast<std::size_t>(value.dim()), 1), to = value.sizes().vec();
  view[0] = index.size(0);
  view[static_cast<std::size_t>(dim)] = to[static_cast<std::size_t>(dim)] = index.size(1);
  return value.gather(dim, index.view(view).expand(to));
}

bool is_identity(const at::Tensor& align, Index positions) {
  return align.size(1) == positions && (align.eq(kUnset) | align.eq(at::arange(positions))).all().item<bool>();
}

template <class Values>
std::vector<HookId> missing(const std::set<HookId>& wanted, const Values& present) {
  std::vector<HookId> ids;
  for (const HookId id : wanted) {
    if (!present.contains(id)) ids.push_back(id);
  }
  return ids;
}

bool over_pairs(const HookPoint& point) { return point.dims.back() == "src"; }

}  // namespace

AlignedValue aligned(const at::Tensor& value, const HookPoint& point, const at::Tensor& align) {
  AlignedValue out;
  const at::Tensor available = align != kUnset;
  if (!available.all().item<bool>()) out.available = available.to(value.device());
  out.value = value;
  for (std::size_t dim = 0; dim < point.dims.size(); ++dim) {
    const Text name = point.dims[dim];
    if (name != "pos" && name != "dest" && name != "src") continue;
    const auto at = static_cast<Index>(dim);
    if (is_identity(align, out.value.size(at))) continue;
    out.value = gather_along(out.value, at, align.clamp_min(0).to(value.device()));
  }
  return out;
}

void SourceRuns::want_donor(const Prompts& rows, const at::Tensor& align, HookId id) {
  auto found = donors_.find(rows.data().get());
  if (found == donors_.end()) {
    Donor donor{.batch = beside(edited_, rows, info_)};
    donor.align =
        align.defined() ? edited_.of_call(align).to(at::kCPU, at::kLong) : edited_.rows.aligned_to(donor.batch.rows);
    if (donor.align.size(1) < edited_.longest()) {
      throw Error(fmt::format("`align` has {} positions, but the prompts have up to {}", donor.align.size(1),
                              edited_.longest()));
    }
    donor.align = donor.align.narrow(1, 0, edited_.longest());
    found = donors_.emplace(rows.data().get(), std::move(donor)).first;
  }
  found->second.wanted.insert(id);
}

void SourceRuns::want_mean(const Prompts& reference, HookId id) {
  ReferenceMeans::Set& entry = means_.sets.try_emplace(reference.data().get()).first->second;
  entry.rows = reference;
  entry.wanted.insert(id);
}

void SourceRuns::make(const RunOnce& donor_run) {
  for (auto& [key, donor] : donors_) {
    const std::vector<HookId> ids = missing(donor.wanted, donor.values);
    if (ids.empty()) continue;
    for (auto& [id, value] : (donor_run ? donor_run : run_)(donor.batch, ids))
      donor.values[id] = aligned(value, hooks_[id], donor.align);
  }
  for (auto& [key, reference] : means_.sets) {
    const std::vector<HookId> ids = missing(reference.wanted, reference.values);
    if (!ids.empty()) make_means(reference, ids);
  }
  if (const std::vector<HookId> ids = missing(unedited_ids_, unedited_); !ids.empty())
    unedited_.merge(run_(edited_, ids));
}

// Sums in double over all reference rows that have the position.
void SourceRuns::make_means(ReferenceMeans::Set& reference, const std::vector<HookId>& ids) const {
  const std::vector<RowBatch> batches = row_batches(reference.rows, info_, max_rows_);
  Index longest = 0;
  for (const RowBatch& batch : batches) longest = std::max(longest, batch.longest());
  at::Tensor counts = at::zeros({longest}, at::kDouble);
  HookValues sums;
  at::ScalarType dtype = at::kFloat;
  for (const RowBatch& batch : batches) {
    counts.narrow(0, 0, batch.longest()) += batch.real.sum(0).to(at::kDouble);
    for (auto& [id, value] : run_(batch, ids)) {
      dtype = value.scalar_type();
      const bool pairs = over_pairs(hooks_[id]);
      std::vector<Index> along(static_cast<std::size_t>(value.dim()), 1);
      along[0] = batch.size();
      along[pairs ? 2 : 1] = batch.longest();
      const at::Tensor real = batch.real.to(value.device()).view(along);
      const at::Tensor sum =
          at::where(real, value.to(at::kDouble), at::zeros({}, value.options().dtype(at::kDouble))).sum(0);
      std::vector<Index> whole = sum.sizes().vec();
      whole[pairs ? 1 : 0] = longest;
      if (pairs) whole[2] = longest;
      at::Tensor& total = sums.try_emplace(id, at::zeros(whole, sum.options())).first->second;
      at::Tensor part = total.narrow(pairs ? 1 : 0, 0, batch.longest());
      if (pairs) part = part.narrow(2, 0, batch.longest());
      part += sum;
    }
  }
  for (auto& [id, sum] : sums) {
    const bool pairs = over_pairs(hooks_[id]);
    std::vector<Index> along(static_cast<std::size_t>(sum.dim()), 1);
    along[pairs ? 1 : 0] = longest;
    MeanValue mean{.by_position = (sum / counts.to(sum.device()).view(along)).to(dtype), .positions = longest};
    if (!pairs) mean.over_positions = (sum.sum(0) / counts.sum().item<double>()).to(dtype);
    reference.values[id] = std::move(mean);
  }
}

const AlignedValue& SourceRuns::donor(const Prompts& rows, HookId id) const {
  return donors_.at(rows.data().get()).values.at(id);
}
const RowBatch& SourceRuns::donor_batch(const Prompts& rows) const { return donors_.at(rows.data().get()).batch; }
const std::set<HookId>& SourceRuns::wanted_of_donor(const Prompts& rows) const {
  return donors_.at(rows.data().get()).wanted;
}
const at::Tensor& SourceRuns::donor_align(const Prompts& rows) const { return donors_.at(rows.data().get()).align; }

const MeanValue& SourceRuns::mean(const Prompts& reference, HookId id) const {
  return means_.sets.at(reference.data().get()).values.at(id);
}

}  // namespace diopter::engine
