#include <diopter_host/backends.hpp>

namespace diopter {
inline namespace abi1 {

std::vector<Batch> Stream::next() { return backend_->next(); }
Index Stream::epoch() const { return backend_->epoch(); }

const ModelInfo& Trainable::info() const { return backend_->info(); }
Tensor Trainable::forward(const Tensor& inputs) { return backend_->forward(inputs); }
Tensor Trainable::loss(const Batch& batch) { return backend_->loss(batch); }
double Trainable::backward(const std::vector<Batch>& batches) { return backend_->backward(batches); }
std::vector<Tensor> Trainable::parameters() const { return backend_->parameters(); }
void Trainable::step(const AdamW& with) { backend_->step(with); }
Index Trainable::steps() const { return backend_->steps(); }
void Trainable::save(Path dir) const { backend_->save(dir); }
bool Trainable::resume(Path dir) { return backend_->resume(dir); }
void Trainable::attach(const Stream& stream) { backend_->attach(stream.backend()); }

}  // namespace abi1
}  // namespace diopter
