#include "engine/trainable.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "engine/train.hpp"
#include "engine/train_gradient.hpp"
#include "engine/train_init.hpp"
#include "engine/train_loss.hpp"
#include "model/load.hpp"
#include "text/tokenizer.hpp"

namespace diopter::engine {
namespace {

model::Parameters with_gradients(const model::Parameters& parameters) {
  return parameters.transformed(
      [](model::Slot, const at::Tensor& value) { return value.detach().clone().set_requires_grad(true); });
}

bool decays(model::Slot slot, const at::Tensor& weight) { return model::is_per_layer(slot.part) && weight.dim() == 2; }

}  // namespace

TrainableModel::TrainableModel(model::Parameters parameters) : transformer_(with_gradients(parameters)) {
  at::globalContext().setFlushDenormal(true);  // moments decay towards 0 through denormal numbers, which are slow
  for (const model::Slot slot : model::slots(info())) {
    const at::Tensor weight = transformer_.parameters().get(slot.part, slot.layer);
    const Moments moments{at::zeros_like(weight), at::zeros_like(weight)};
    trained_.push_back({model::slot_name(slot), {weight, moments, decays(slot, weight)}});
  }
}

TrainableModel::~TrainableModel() { at::globalContext().setFlushDenormal(false); }

Tensor TrainableModel::forward(const Tensor& inputs) { return transformer_.forward(inputs); }

Tensor TrainableModel::loss(const Batch& batch) {
  if (batch.inputs.sizes() != batch.targets.sizes())
    throw Error("inputs and targets of a batch need the same shape [row, pos].");
  const at::AutoGradMode with_gradients(true);  // a run has them switched off
  const at::Tensor normalized = transformer_.final_norm(transformer_.residual(batch.inputs));
  return summed_cross_entropy(normalized, transformer_.parameters().get(model::Part::Unembed), batch.targets);
}

double TrainableModel::backward(const std::vector<Batch>& batches) {
  Index targets = 0;
  for (const Batch& batch : batches) targets += batch.targets.ge(0).sum().item<Index>();
  if (targets == 0) throw Error("a step has no target that counts; look at the column 'counted' of the data.");
  const auto count = static_cast<double>(targets);
  if (!team_ || team_->size() != at::get_num_threads()) team_ = std::make_unique<ThreadTeam>(at::get_num_threads());
  const double sum = accumulate_gradients(*team_, parameters(), batches.size(), 1 / count,
                                          [&](std::size_t index) { return loss(batches[index]); });
  return sum / count;
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
  const auto with_tokenizer =
      std::ranges::find_if(streams_, [](const auto& stream) { return !stream->tokenizer_file().empty(); });
  if (with_tokenizer == streams_.end()) return model::save(transformer_.parameters(), directory);
  const std::string file = base::read_file((*with_tokenizer)->tokenizer_file());
  const auto tokenizer = text::Tokenizer::parse(file, (*with_tokenizer)->tokenizer_file().string());
  model::save(transformer_.parameters(), directory, {.bos = tokenizer.bos(), .eos = tokenizer.eos()});
  base::write_file_atomically(directory / "tokenizer.json", file);
}

std::shared_ptr<TrainableBackend> make_trainable(const ModelInfo& shape, const Init& init, at::Generator generator) {
  // The chunked loss goes from the final norm to W_U and no further.
  if (shape.unembed_bias || shape.logit_softcap > 0)
    throw Error("this shape cannot be trained: its logits have a bias or a soft cap, which the loss does not know.");
  try {
    return std::make_shared<TrainableModel>(initial_parameters(shape, init, std::move(generator)));
  } catch (const base::UserError& error) {
    throw Error(fmt::format("this shape cannot be trained: {}", error.what()));
  }
}

}  // namespace diopter::engine
