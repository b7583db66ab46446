#include "engine/packed/operands.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace diopter::engine {
namespace {

using Op = ChangeSpec::Op;

// Whether nothing is put where a query would see what follows it, or what stands before its window (0: none): 0 in a
// pattern, -inf in scores.
bool is_causal(const at::Tensor& value, Point point, Op op, Index window) {
  if (op == Op::Add && point == Point::AttnScores) return true;  // -inf stays
  const at::Tensor all = at::ones({value.size(2), value.size(3)}, at::kBool);
  const at::Tensor masked = window > 0 ? all.triu(1) | all.tril(-window) : all.triu(1);
  const double hidden = point == Point::AttnScores ? -std::numeric_limits<double>::infinity() : 0.0;
  return (value.eq(hidden) | masked.logical_not()).all().item<bool>();
}

}  // namespace

// A tensor of the user may have entries for the selected positions or indices; what other runs give has all of them.
bool Operands::shared_by_cells(const ChangeSpec& change, HookId id, const Where& where) const {
  if (change.op == Op::Mean) return compiler_.mean_reaches(change, id, place_.batch.longest());
  if (!change.value.defined()) return true;
  const bool narrowed = !where.positions.is_all() || !where.sources.is_all() || !where.heads.empty() ||
                        !where.kv_heads.empty() || !where.neurons.empty();
  // A vector over the last dimension only fits every cell, unless an axis walks that dimension.
  const Index own = change.value.dim() - (change.per == Per::Row || change.per == Per::Layer ? 1 : 0);
  const Text last = place_.hooks[id].dims.back();
  return !narrowed || (own <= 1 && last != "neuron" && last != "src");
}

std::shared_ptr<const Operand> Operands::made(const ChangeSpec& change, HookId id, const Where& where,
                                              const LayerRank& layer) const {
  EditCompiler::Replacement from = compiler_.operand(change, id, where, layer);
  const Point point = place_.hooks.point(id);
  std::vector<Index> shape = place_.hooks.shape(id, place_.batch.size(), place_.batch.longest());
  at::Tensor value = from.value;
  while (value.dim() < static_cast<Index>(shape.size())) value = value.unsqueeze(0);
  const bool pairs = place_.hooks[id].dims.back() == "src";
  shape[0] = value.size(0);
  if (!pairs) shape[1] = value.size(1);
  Operand out{.value = value.expand(shape).to(pairs ? at::kFloat : dtype_).contiguous(), .available = from.available};
  if (pairs) out.causal = is_causal(out.value, point, change.op, place_.info.window(place_.hooks[id].layer));
  return std::make_shared<const Operand>(std::move(out));
}

std::shared_ptr<const Operand> Operands::of(const ChangeSpec& change, HookId id, const Where& where,
                                            const LayerRank& layer, Index vector) {
  if (change.op == Op::Zero || change.op == Op::Scale) return nullptr;
  if (!shared_by_cells(change, id, where)) return made(change, id, where, layer);
  const std::lock_guard lock(mutex_);
  auto& known = shared_[{id, vector}];
  if (known == nullptr) known = made(change, id, where, layer);
  return known;
}

PackedEdit Operands::edit(const ChangeSpec& change, HookId id, const Where& where, const LayerRank& layer,
                          Index vector) {
  return PackedEdit(change, id, where, place_, of(change, id, where, layer, vector), dtype_);
}

}  // namespace diopter::engine
