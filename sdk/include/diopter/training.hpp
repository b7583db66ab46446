// Training in the host's own transformer, with autograd. needs(Training)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <diopter/model_info.hpp>
#include <diopter/prompts.hpp>

namespace diopter {
inline namespace abi1 {

// by_fan_in: `linear` / sqrt(fan_in) instead of `linear`; sinusoidal: position table of amplitude `embed`, learned from
// there; shrink_writers: matrices that write into the stream are divided by sqrt(2 L) as well.
struct Init {
  double embed = 0.02, linear = 0.02;
  bool by_fan_in = false, sinusoidal = false, shrink_writers = true;
};
// weight_decay: on the matrices of blocks only; clip: global gradient norm, 0 = none.
struct AdamW {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, clip = 0;
};
struct Batch {
  Tensor inputs;   // int64 [row, pos], right-padded with -1
  Tensor targets;  // int64 [row, pos]; -1: not counted (padding, column "counted")
};
struct StreamOptions {
  Index rows = 64;       // documents a step
  Index micro_rows = 0;  // rows of one micro-batch, sorted by length; 0 = all
  Index length = 0;      // 0: a document a row; else documents are packed to rows of this length
  std::string stream = "data";
};

class StreamBackend;
class TrainableBackend;

// Batches of a data set, endless, in a random permutation per epoch.
class DIOPTER_API Stream {
 public:
  std::vector<Batch> next();  // one step's micro-batches
  Index epoch() const;
  explicit Stream(std::shared_ptr<StreamBackend> backend) : backend_(std::move(backend)) {}
  const std::shared_ptr<StreamBackend>& backend() const { return backend_; }

 private:
  std::shared_ptr<StreamBackend> backend_;
};

// Weights, optimiser and step count. Copies share.
class DIOPTER_API Trainable {
 public:
  const ModelInfo& info() const;
  Tensor forward(const Tensor& inputs);  // int64 [row, pos] -> logits [row, pos, d_vocab]
  // Summed cross-entropy (nat) of the counted targets, by chunks, for losses of one's own making.
  Tensor loss(const Batch& batch);
  // A step's gradient: that of the mean cross-entropy (nat) over the counted targets of all its micro-batches, added to
  // the parameters' grad(); returns that mean. The micro-batches are spread over the threads and summed in order, so
  // the bits do not depend on the number of threads.
  double backward(const std::vector<Batch>& batches);
  std::vector<Tensor> parameters() const;
  void step(const AdamW& with);  // gradients are clipped, applied and cleared
  Index steps() const;
  void save(Path dir) const;          // whole or not at all; with optimiser, streams, generators
  bool resume(Path dir);              // continues bit for bit; false: nothing there
  void attach(const Stream& stream);  // its position is saved and resumed with the weights

  explicit Trainable(std::shared_ptr<TrainableBackend> backend) : backend_(std::move(backend)) {}
  const std::shared_ptr<TrainableBackend>& backend() const { return backend_; }

 private:
  std::shared_ptr<TrainableBackend> backend_;
};

}  // namespace abi1
}  // namespace diopter
