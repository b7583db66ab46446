#include "model/precision.hpp"

#include <ATen/ATen.h>

#include "base/error.hpp"
#include "model/family.hpp"

namespace diopter::model {
namespace {

// In float32 where `wanted`; elsewhere zeros of the right shape that take no memory.
template <class Wanted>
Transformer widened(const Parameters& parameters, Wanted wanted) {
  return Transformer(parameters.transformed([&](Slot slot, const at::Tensor& value) {
    return wanted(slot) ? value.to(at::kFloat) : at::zeros({}, value.options().dtype(at::kFloat)).expand(value.sizes());
  }));
}

}  // namespace

at::ScalarType dtype_named(std::string_view name) {
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  DIOPTER_CHECK(name == "float32", "no dtype of weights has this name");
  return at::kFloat;
}

Parameters in_dtype(const Parameters& parameters, at::ScalarType dtype) {
  const ModelInfo& info = parameters.info();
  bool wide_gains = false;
  for (const StoredName& stored : find_family(info.family, "the model").stored_names(info))
    wide_gains = wide_gains || stored.how == Stored::GainMinusOne;
  return parameters.transformed(
      [&](Slot slot, const at::Tensor& value) { return wide_gains && is_gain(slot.part) ? value : value.to(dtype); });
}

Parameters with_products_in(const Parameters& parameters, at::ScalarType dtype) {
  return parameters.transformed(
      [&](Slot slot, const at::Tensor& value) { return is_product(slot.part) ? value.to(dtype) : value; });
}

at::Tensor float_logits(const Transformer& model, const at::Tensor& ids) {
  const Parameters& parameters = model.parameters();
  at::Tensor resid =
      widened(parameters, [](Slot slot) { return slot.part == Part::Embed || slot.part == Part::PosEmbed; }).embed(ids);
  for (Index layer = 0; layer < model.info().n_layers; ++layer) {
    resid = widened(parameters, [layer](Slot slot) { return slot.layer == layer; }).block(layer, resid);
  }
  const Transformer head = widened(parameters, [&](Slot slot) {
    return slot.part == Part::LnFinalGain || slot.part == Part::LnFinalBias || slot.part == Part::UnembedBias ||
           slot.part == (model.info().tied_embeddings ? Part::Embed : Part::Unembed);
  });
  return head.unembed(head.final_norm(resid));
}

}  // namespace diopter::model
