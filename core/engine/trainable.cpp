#include "engine/trainable.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "engine/train.hpp"
#include "engine/train_init.hpp"
#include "engine/train_loss.hpp"
#include "model/load.hpp"

namespace diopter::engine {
namespace {

// Moments decay towards 0 through denormal numbers, which are slow. The flag is per thread, so every worker sets its
// own.
void flush_denormals(bool on) {
  at::parallel_for(0, at::get_num_threads(), 1, [on](Index, Index) { at::globalContext().setFlushDenormal(on); });
}

model::Parameters with_gradients(const model::Parameters& parameters) {
  return parameters.transformed(
      [](model::Slot, const at::Tensor& value) { return value.detach().clone().set_requires_grad(true); });
}

bool decays(model::Slot slot, const at::Tensor& weight) { return model::is_per_layer(slot.part) && weight.dim() == 2; }

}  // namespace

TrainableModel::TrainableModel(model::Parameters parameters) : transformer_(with_gradients(parameters)) {
  flush_denormals(true);
  for (const model::Slot slot : model::slots(info())) {
    const at::Tensor weight = transformer_.parameters().get(slot.part, slot.layer);
    const Moments moments{at::zeros_like(weight), at::zeros_like(weight)};
    trained_.push_back({model::slot_name(slot), {weight, moments, decays(slot, weight)}});
  }
}

TrainableModel::~TrainableModel() { flush_denormals(false); }

Tensor TrainableModel::forward(const Tensor& inputs) { return transformer_.forward(inputs); }

Tensor TrainableModel::loss(const Batch& batch) {
  if (batch.inputs.sizes() != batch.targets.sizes())
    throw Error("inputs and targets of a batch need the same shape [row, pos].");
  const at::AutoGradMode with_gradients(true);  // a run has them switched off
  const at::Tensor normalized = transformer_.final_norm(transformer_.residual(batch.inputs));
  return summed_cross_entropy(normalized, transformer_.parameters().get(model::Part::Unembed), batch.targets);
}

std::vector<Tensor> TrainableModel::parameters() const {
  std::vector<Tensor> out;
  for (const NamedTrained& one : trained_) out.push_back(one.trained.weight);
  return out;
}

void TrainableModel::step(const AdamW& with) {
  std::vector<Trained> all;
  for (const NamedTrained& one : trained_) all.push_back(one.trained);
  adamw_step(all, with, ++steps_);
}

void TrainableModel::save(const Path& directory) const {
  base::Json streams = base::Json::array();
  for (const auto& stream : streams_) streams.push_back(stream->state());
  write_checkpoint(directory, trained_, {{"format", "diopter.training/1"}, {"steps", steps_}, {"streams", streams}});
}

bool TrainableModel::resume(const Path& directory) {
  const base::Json state = read_checkpoint(directory, trained_);
  if (state.is_null()) return false;
  const base::Json& places = state.at("streams");
  bool same = places.size() == streams_.size();
  for (std::size_t s = 0; same && s < streams_.size(); ++s) same = streams_[s]->restore(places[s]);
  if (!same) {
    throw Error(fmt::format(
        "the checkpoint {} was made with other data (attach the same streams before resuming, or remove it).",
        directory.string()));
  }
  steps_ = state.at("steps");
  return true;
}

void TrainableModel::attach(const std::shared_ptr<StreamBackend>& stream) {
  const auto ours = std::dynamic_pointer_cast<TrainStream>(stream);
  DIOPTER_CHECK(ours != nullptr, "streams come from engine::make_stream");
  streams_.push_back(ours);
}

void TrainableModel::export_model(const Path& directory) const {
  model::save(transformer_.parameters(), directory);
  for (const auto& stream : streams_) {
    const Path& tokenizer = stream->tokenizer_file();
    if (tokenizer.empty()) continue;
    base::write_file_atomically(directory / "tokenizer.json", base::read_file(tokenizer));
    return;
  }
}

std::shared_ptr<TrainableBackend> make_trainable(const ModelInfo& shape, const Init& init, at::Generator generator) {
  try {
    return std::make_shared<TrainableModel>(initial_parameters(shape, init, std::move(generator)));
  } catch (const base::UserError& error) {
    throw Error(fmt::format("this shape cannot be trained: {}", error.what()));
  }
}

}  // namespace diopter::engine
