// A small shape and a small data set to train on.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <memory>

#include "engine/train.hpp"

namespace diopter::engine {

inline at::Generator generator(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

inline ModelInfo small_shape() {
  ModelInfo shape;
  shape.name = "small";
  shape.family = "gpt2";
  shape.n_layers = 2;
  shape.n_heads = shape.n_kv_heads = 2;
  shape.d_model = 16;
  shape.d_head = 8;
  shape.d_mlp = 32;
  shape.d_vocab = 40;
  shape.n_ctx = 24;
  shape.attention_scale = 1 / std::sqrt(8.0);
  return shape;
}

// `rows` documents of 3 to 12 ids: a start, then each id is the one before plus one. Column "counted" leaves out the
// second.
inline Prompts counting_documents(Index rows) {
  at::Tensor ids = at::full({rows, 12}, -1, at::kLong), counted = at::ones({rows, 12}, at::kBool);
  counted.select(1, 1).fill_(false);
  for (Index row = 0; row < rows; ++row) {
    for (Index pos = 0; pos < 3 + row % 10; ++pos) ids[row][pos] = (row * 7 + pos) % 40;
  }
  return Prompts::tokens(ids).with("counted", counted);
}

// One step as a run makes it; the mean loss.
inline double train_step(TrainableBackend& model, StreamBackend& stream, const AdamW& with) {
  const double loss = model.backward(stream.next());
  model.step(with);
  return loss;
}

inline bool equal_weights(const TrainableBackend& a, const TrainableBackend& b) {
  const auto left = a.parameters(), right = b.parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!at::equal(left[i], right[i])) return false;
  }
  return left.size() == right.size();
}

}  // namespace diopter::engine
