// The Context of one run: forwards to the engine, the log and the monitor, and checks threads and needs.
#pragma once

#include <map>
#include <string>

#include <diopter_host/backends.hpp>

#include "host/guarded_model.hpp"
#include "host/monitor.hpp"

namespace diopter::host {

// What a run works on. prompts: "" is the run's own set, other keys are PROMPTS parameters.
struct RunInputs {
  std::shared_ptr<const ParamsData> params;
  std::map<std::string, Prompts, std::less<>> prompts;
  Edits edits;
  std::filesystem::path scratch;  // exists
};

class HostContext final : public ContextBackend {
 public:
  HostContext(const RunInputs& inputs, EngineBackend& engine, Monitor& monitor, LogBackend& log);

  const Params& params() const override { return params_; }
  const Model& model() const override { return model_; }
  const Edits& edits() const override;
  const Prompts& prompts(Text parameter) const override;
  EngineBackend& engine() override;
  EngineBackend& generation_engine() override;
  EngineBackend& training_engine() override;
  Log& log() override { return log_; }
  Path scratch() override;
  at::Generator rng(Text stream) override { return monitor_.rng(stream); }
  void progress(Text what, Index done, Index total, Text extra) override {
    monitor_.progress(what, done, total, extra);
  }
  bool stop_requested() const noexcept override { return monitor_.stop_requested(); }

 private:
  void check_declared(std::uint32_t need, const char* asked_for, const char* row) const;

  const RunInputs& inputs_;
  EngineBackend& engine_;
  Monitor& monitor_;
  Params params_;
  GuardedModel guarded_;
  Model model_;
  Log log_;
};

}  // namespace diopter::host
