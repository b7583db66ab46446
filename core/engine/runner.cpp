#include "engine/runner.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <diopter/error.hpp>

#include "engine/operations.hpp"
#include "engine/precision_loss.hpp"

namespace diopter::engine {

at::TensorOptions Runner::values() const { return model_.parameters().get(model::Part::Embed).options(); }

void Runner::refuse_nested() const {
  if (busy_ > 0)
    throw Error(
        "a forward was asked for inside a forward (by an edit, a metric or on_chunk); capture what is needed before");
}

ForwardResult Runner::run(const RowBatch& batch, HookBus* bus, const ForwardPath& path, std::vector<Index>* unchanged,
                          const model::Rows& rows) {
  refuse_nested();
  monitor_.check_stop();
  const c10::NoGradGuard no_grad;
  const Busy busy(*this);
  const at::ScalarType dtype = c10::typeMetaToScalarType(values().dtype());
  if (!precision_known_ && exact_ != nullptr) {
    monitor_.event("precision", sentence(precision_loss(model_, *exact_, batch), "products in bfloat16"));
  } else if (!precision_known_ && (dtype == at::kBFloat16 || dtype == at::kHalf)) {
    monitor_.event("precision", sentence(precision_loss(model_, batch), dtype == at::kHalf ? "float16" : "bfloat16"));
  }
  precision_known_ = true;
  if (bus != nullptr) bus->freeze();
  count_operations(operations_of(batch, path));
  ForwardResult result = counted(forward(model_, batch, bus, path, rows));
  if (bus == nullptr) return result;
  for (const Index number : bus->finish()) {
    if (unchanged != nullptr) {
      unchanged->push_back(number);
    } else {
      monitor_.event("edit-unchanged", fmt::format("edit {} fired but changed no bit", number));
    }
  }
  return result;
}

ForwardResult Runner::counted(ForwardResult result) const {
  result.count_into(operations_);
  return result;
}

// The forward's own products, padding included; what is unembedded later counts then.
double Runner::operations_of(const RowBatch& batch, const ForwardPath& path) const {
  const ModelInfo& of = info();
  const auto rows = static_cast<double>(batch.size() * batch.longest());
  const auto width = static_cast<double>(of.d_model);
  const auto projections = static_cast<double>((2 * of.n_heads + 2 * of.n_kv_heads) * of.d_head) * width;
  const double mlp = of.attention_only ? 0 : static_cast<double>((of.gated_mlp ? 3 : 2) * of.d_mlp) * width;
  const double attention = 2.0 * static_cast<double>(batch.keys() * of.n_heads * of.d_head);
  const double blocks = 2.0 * static_cast<double>(of.n_layers) * rows * (projections + mlp + attention);
  return blocks + (path.all_logits ? product_operations(batch.size() * batch.longest(), of.d_model, of.d_vocab) : 0);
}

HookValues Runner::keep(const RowBatch& batch, std::span<const HookId> ids, const ForwardPath& path) {
  HookValues kept;
  HookBus bus(hooks());
  bus.observe(ids, [&kept](HookId id, const at::Tensor& value) { kept[id] = value.contiguous(); });
  run(batch, &bus, path);
  return kept;
}

}  // namespace diopter::engine
