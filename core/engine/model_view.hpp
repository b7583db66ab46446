// The model as plugins see it: readouts, directions and weights of a transformer.
#pragma once

#include <memory>

#include <diopter_host/backends.hpp>

#include "model/transformer.hpp"

namespace diopter::engine {

// `model` and `codec` (null: no tokenizer) must outlive it. Every function is const and may be called from any thread.
class ModelView final : public ModelBackend {
 public:
  ModelView(const model::Transformer& model, const TokenCodec* codec) : model_(model), codec_(codec) {}

  const ModelInfo& info() const override { return model_.info(); }
  const HookTable& hook_table() const override { return model_.hooks(); }
  Tensor unembed(const Tensor& resid) const override;
  Readout read(const Tensor& resid, const Read& what) const override;
  Direction logit_direction(const Tensor& answer, const Tensor& foil) const override;
  Tensor weight(Text role, Index layer) const override;
  const TokenCodec* codec() const override { return codec_; }

 private:
  const model::Transformer& model_;
  const TokenCodec* codec_;
};

}  // namespace diopter::engine
