#include "engine/session.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <diopter/error.hpp>

#include "engine/capture_run.hpp"
#include "engine/generate_run.hpp"
#include "engine/measure_run.hpp"
#include "engine/sweep_run.hpp"
#include "engine/train.hpp"

namespace diopter::engine {

Session::Session(std::shared_ptr<const model::Transformer> model, std::shared_ptr<const TokenCodec> codec,
                 RunMonitor& monitor, SessionOptions options)
    : model_(std::move(model)), codec_(std::move(codec)), monitor_(monitor), options_(std::move(options)) {
  if (model_ != nullptr)
    ready_ = std::make_unique<Ready>(
        Ready{ModelView(*model_, codec_.get()), Runner(*model_, monitor_, options_.exact.get())});
}

Session::~Session() = default;

Session::Ready& Session::ready() {
  if (ready_ == nullptr) throw Error("this run has no model; give the manifest a [model]");
  return *ready_;
}

ModelBackend& Session::model() { return ready().view; }

Capture Session::capture(const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits) {
  const c10::NoGradGuard no_grad;
  return capture_rows(ready().runner, rows, points, where, edits, codec_.get(), options_);
}

Cells Session::measure(const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits) {
  const c10::NoGradGuard no_grad;
  return measure_rows(ready().runner, rows, metrics, edits, codec_.get(), options_);
}

Cells Session::sweep(const Sweep& sweep) {
  const c10::NoGradGuard no_grad;
  const std::string name = "sweep-" + std::to_string(++sweeps_) + ".cells";
  const std::filesystem::path kept = options_.scratch.empty() ? std::filesystem::path() : options_.scratch / name;
  return SweepRun(ready().runner, sweep, codec_.get(), options_, kept).run();
}

Generation Session::generate(const Prompts& rows, const GenerateOptions& options, const Edits& edits) {
  const c10::NoGradGuard no_grad;
  return generate_rows(ready().runner, rows, options, edits, codec_.get(), options_);
}

Trainable Session::trainable(const ModelInfo& shape, const Init& init) {
  return Trainable(make_trainable(shape, init, monitor_.rng("init")));
}

Stream Session::stream(const Prompts& data, const StreamOptions& options) {
  return Stream(make_stream(data, options, monitor_.rng(options.stream)));
}

}  // namespace diopter::engine
