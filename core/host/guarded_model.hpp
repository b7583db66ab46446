// The run's model as its kind may use it: what needs a declared Need is refused without it.
#pragma once

#include <diopter_host/backends.hpp>

#include "host/monitor.hpp"

namespace diopter::host {

class GuardedModel final : public ModelBackend {
 public:
  GuardedModel(EngineBackend& engine, Monitor& monitor) : engine_(engine), monitor_(monitor) {}

  const ModelInfo& info() const override { return inner().info(); }
  const HookTable& hook_table() const override { return inner().hook_table(); }
  Tensor unembed(const Tensor& resid) const override { return inner().unembed(resid); }
  Readout read(const Tensor& resid, const Read& what) const override { return inner().read(resid, what); }
  Direction logit_direction(const Tensor& answer, const Tensor& foil) const override;
  Tensor weight(Text role, Index layer) const override;
  const TokenCodec* codec() const override;

 private:
  ModelBackend& inner() const;  // checks thread and stop; Error for runs without a model
  void require(std::uint32_t need, const char* name, const char* what) const;

  EngineBackend& engine_;
  Monitor& monitor_;
};

}  // namespace diopter::host
