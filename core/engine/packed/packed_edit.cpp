#include "engine/packed/packed_edit.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

std::vector<std::vector<Index>> ascending(const RowPositions& positions) {
  std::vector<std::vector<Index>> rows;
  for (const auto& of_row : positions.of) {
    std::vector<Index> there;
    for (const Index pos : of_row) {
      if (pos != kUnset) there.push_back(pos);
    }
    std::sort(there.begin(), there.end());
    there.erase(std::unique(there.begin(), there.end()), there.end());
    rows.push_back(std::move(there));
  }
  return rows;
}

void keep_available(std::vector<std::vector<Index>>& rows, const at::Tensor& available) {
  if (!available.defined()) return;
  const auto there = available.accessor<bool, 2>();
  for (std::size_t row = 0; row < rows.size(); ++row)
    std::erase_if(rows[row], [&](Index pos) { return !there[static_cast<Index>(row)][pos]; });
}

std::vector<Index> absolute(const std::vector<Index>& indices, Index size) {
  std::set<Index> once;
  for (const Index index : indices) once.insert(index < 0 ? index + size : index);
  return {once.begin(), once.end()};
}

}  // namespace

PackedEdit::PackedEdit(const ChangeSpec& change, HookId id, const Where& where, const Place& place,
                       std::shared_ptr<const Operand> operand, at::ScalarType dtype)
    : id_(id),
      point_(place.hooks.point(id)),
      layer_(stages::after_blocks(point_) ? place.info.n_layers : place.hooks[id].layer),
      operand_(std::move(operand)),
      dtype_(dtype) {
  using Given = ChangeSpec::Op;
  DIOPTER_CHECK(change.op != Given::Custom, "a custom edit has no packed form");
  op_ = change.op == Given::Zero    ? Op::Zero
        : change.op == Given::Add   ? Op::Add
        : change.op == Given::Scale ? Op::Scale
                                    : Op::Put;
  if (op_ == Op::Add || op_ == Op::Scale) factor_ = change.factors.values().front();
  by_donor_ = change.op == Given::Replace && change.donor.has_value();
  hides_stay_ = point_ == Point::AttnScores && (op_ == Op::Zero || op_ == Op::Scale);
  const HookPoint& point = place.hooks[id];
  const bool pairs = point.dims.back() == "src";
  const std::vector<Index> whole = place.hooks.shape(id, 1, 1);
  last_ = whole.back();
  inner_ = std::accumulate(whole.begin() + 2, whole.end(), Index{1}, std::multiplies<>());
  pick(where, point, place.info);
  positions_ = ascending(resolve(where.positions, place.batch, place.codec));
  if (operand_ != nullptr) keep_available(positions_, operand_->available);
  if (!pairs) return;
  sources_ = ascending(resolve(where.sources, place.batch, place.codec, Dimension::Keys));
  if (operand_ != nullptr) keep_available(sources_, operand_->available);
  for (std::size_t row = 0; row < sources_.size(); ++row) {
    if (sources_[row].empty()) positions_[row].clear();
  }
}

void PackedEdit::pick(const Where& where, const HookPoint& point, const ModelInfo& info) {
  const auto has = [&](Text name) { return std::find(point.dims.begin(), point.dims.end(), name) != point.dims.end(); };
  if (!where.neurons.empty()) {
    neurons_ = absolute(where.neurons, info.d_mlp);
    for (const Index neuron : neurons_) parts_.push_back({neuron, 1});
    return;
  }
  // With as many kv heads as heads both words mean the same; Selection has refused what the point has not.
  if (where.heads.empty() && where.kv_heads.empty()) return;
  const Index size = has("head") ? info.n_heads : info.n_kv_heads;
  heads_ = absolute(where.heads.empty() ? where.kv_heads : where.heads, size);
  if (!where.heads.empty() && !where.kv_heads.empty()) {
    const std::vector<Index> both = absolute(where.kv_heads, size);
    std::erase_if(heads_, [&](Index head) { return !std::binary_search(both.begin(), both.end(), head); });
  }
  if (point.dims.back() == "src") return;
  const Index each = inner_ / size;
  for (const Index head : heads_) parts_.push_back({head * each, each});
}

bool PackedEdit::touches(Index row, Index pos) const {
  const auto& there = positions_[static_cast<std::size_t>(row)];
  return std::binary_search(there.begin(), there.end(), pos);
}

bool PackedEdit::has_source(Index row, Index first, Index last) const {
  const auto& there = sources_[static_cast<std::size_t>(row)];
  const auto next = std::lower_bound(there.begin(), there.end(), first);
  return next != there.end() && *next <= last;
}

bool PackedEdit::has_head(Index head) const {
  return heads_.empty() || std::binary_search(heads_.begin(), heads_.end(), head);
}

template <class T>
const T* PackedEdit::operand_at(Index row, Index pos) const {
  if (operand_ == nullptr) return nullptr;
  const at::Tensor& value = operand_->value;
  const Index at = (value.size(0) == 1 ? 0 : row * value.stride(0)) + (value.size(1) == 1 ? 0 : pos * value.stride(1));
  return static_cast<const T*>(value.const_data_ptr()) + at;
}

template <class T>
bool PackedEdit::apply_part(T* value, const T* operand, Index size) const {
  const auto bytes = static_cast<std::size_t>(size) * sizeof(T);
  if (op_ == Op::Put) {
    if (std::memcmp(value, operand, bytes) == 0) return false;
    std::memcpy(value, operand, bytes);
    return true;
  }
  bool changed = false;
  const auto factor = static_cast<float>(factor_);
  for (Index i = 0; i < size; ++i) {
    const T before = value[i];
    T after = T(0);
    if (op_ == Op::Scale) after = static_cast<T>(static_cast<float>(before) * factor);
    if (op_ == Op::Add) {
      const T step = static_cast<T>(static_cast<float>(operand[i]) * factor);
      after = static_cast<T>(static_cast<float>(before) + static_cast<float>(step));
    }
    changed = changed || std::memcmp(&before, &after, sizeof(T)) != 0;
    value[i] = after;
  }
  return changed;
}

template <class T>
bool PackedEdit::apply_to(T* value, Index row, Index pos) const {
  const T* operand = operand_at<T>(row, pos);
  if (parts_.empty()) return apply_part(value, operand, inner_);
  bool changed = false;
  for (const Part& part : parts_)
    changed =
        apply_part(value + part.offset, operand == nullptr ? nullptr : operand + part.offset, part.size) || changed;
  return changed;
}

template <class Apply>
bool PackedEdit::in_dtype(void* value, const Apply& apply) const {
  switch (dtype_) {
    case at::kBFloat16: return apply(static_cast<at::BFloat16*>(value));
    case at::kHalf: return apply(static_cast<at::Half*>(value));
    default: return apply(static_cast<float*>(value));
  }
}

bool PackedEdit::apply(void* value, Index row, Index pos) const {
  return in_dtype(value, [&](auto* to) { return apply_to(to, row, pos); });
}

bool PackedEdit::apply_head(void* value, Index row, Index pos, Index head) const {
  return in_dtype(value, [&]<class T>(T* to) {
    const T* operand = operand_at<T>(row, pos);
    return apply_part(to, operand == nullptr ? nullptr : operand + head * last_, last_);
  });
}

bool PackedEdit::apply_pair(float* keys, Index keys_count, Index row, Index head, Index dest) const {
  const float* operand = nullptr;
  if (operand_ != nullptr) {
    const at::Tensor& value = operand_->value;
    operand = value.const_data_ptr<float>() + (value.size(0) == 1 ? 0 : row * value.stride(0)) +
              head * value.stride(1) + dest * value.stride(2);
  }
  bool changed = false;
  for (const Index src : sources_[static_cast<std::size_t>(row)]) {
    if (src >= keys_count) break;
    if (hides_stay_ && keys[src] == -std::numeric_limits<float>::infinity()) continue;
    changed = apply_part(keys + src, operand == nullptr ? nullptr : operand + src, 1) || changed;
  }
  return changed;
}

}  // namespace diopter::engine
