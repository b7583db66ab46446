// A model made ready for one run: what Context's capture, measure, sweep, generate and training calls reach.
#pragma once

#include <memory>

#include <diopter_host/backends.hpp>

#include "engine/model_view.hpp"
#include "engine/options.hpp"
#include "engine/runner.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

// [main] One thread, no two calls at once; on_chunk and EditFns run on the caller's thread and may not call back.
// Throws diopter::Error with one sentence, and Stopped after an interrupt.
class Session final : public EngineBackend {
 public:
  // `model` null: a run without a model. `codec` may be null. `monitor` must outlive the session and what it returned.
  Session(std::shared_ptr<const model::Transformer> model, std::shared_ptr<const TokenCodec> codec, RunMonitor& monitor,
          SessionOptions options = {});
  ~Session() override;

  ModelBackend& model() override;
  Capture capture(const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits) override;
  Cells measure(const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits) override;
  Cells sweep(const Sweep& sweep) override;
  Generation generate(const Prompts& rows, const GenerateOptions& options, const Edits& edits) override;
  Trainable trainable(const ModelInfo& shape, const Init& init) override;
  Stream stream(const Prompts& data, const StreamOptions& options) override;

 private:
  struct Ready {  // what needs a model
    ModelView view;
    Runner runner;
  };
  Ready& ready();

  std::shared_ptr<const model::Transformer> model_;
  std::shared_ptr<const TokenCodec> codec_;
  RunMonitor& monitor_;
  SessionOptions options_;
  std::unique_ptr<Ready> ready_;
  Index sweeps_ = 0;  // so far
};

}  // namespace diopter::engine
