// Weights in the host's own transformer, with gradients and an optimiser.
#pragma once

#include <memory>
#include <vector>

#include <diopter_host/backends.hpp>

#include "engine/thread_team.hpp"
#include "engine/train_checkpoint.hpp"
#include "engine/train_stream.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

class TrainableModel final : public TrainableBackend {
 public:
  explicit TrainableModel(model::Parameters parameters);
  ~TrainableModel() override;

  const ModelInfo& info() const override { return transformer_.info(); }
  Tensor forward(const Tensor& inputs) override;
  Tensor loss(const Batch& batch) override;
  double backward(const std::vector<Batch>& batches) override;
  std::vector<Tensor> parameters() const override;
  void step(const AdamW& with) override;
  Index steps() const override { return steps_; }
  void save(const Path& directory) const override;
  bool resume(const Path& directory) override;
  void attach(const std::shared_ptr<StreamBackend>& stream) override;
  void export_model(const Path& directory) const override;

 private:
  model::Transformer transformer_;
  std::vector<NamedTrained> trained_;  // in slots() order
  std::vector<std::shared_ptr<TrainStream>> streams_;
  std::unique_ptr<ThreadTeam> team_;  // for backward(); made when first wanted
  Index steps_ = 0;
};

}  // namespace diopter::engine
