#include <diopter_host/backends.hpp>

namespace diopter {
inline namespace abi1 {

// The thread is checked by the backend, which knows the one that called run().
const Params& Context::params() const { return backend_->params(); }
const Model& Context::model() const { return backend_->model(); }
const Edits& Context::edits() const { return backend_->edits(); }
const Prompts& Context::prompts(Text parameter) const { return backend_->prompts(parameter); }

Capture Context::capture(const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits) {
  return backend_->engine().capture(rows, points, where, edits);
}
Cells Context::measure(const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits) {
  return backend_->engine().measure(rows, metrics, edits);
}
Cells Context::sweep(const Sweep& sweep) { return backend_->engine().sweep(sweep); }
Generation Context::generate(const Prompts& rows, const GenerateOptions& options, const Edits& edits) {
  return backend_->generation_engine().generate(rows, options, edits);
}
Trainable Context::trainable(const ModelInfo& shape, const Init& init) {
  return backend_->training_engine().trainable(shape, init);
}
Stream Context::stream(const Prompts& data, const StreamOptions& options) {
  return backend_->training_engine().stream(data, options);
}

Log& Context::log() { return backend_->log(); }
Path Context::scratch() { return backend_->scratch(); }
at::Generator Context::rng(Text stream) { return backend_->rng(stream); }
void Context::progress(Text what, Index done, Index total, Text extra) { backend_->progress(what, done, total, extra); }
bool Context::stop_requested() const noexcept { return backend_->stop_requested(); }

}  // namespace abi1
}  // namespace diopter
