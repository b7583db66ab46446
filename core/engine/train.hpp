// Training: what Context::trainable and Context::stream give a run.
#pragma once

#include <ATen/core/Generator.h>

#include <memory>

#include <diopter_host/backends.hpp>

namespace diopter::engine {

// A transformer of this shape with random weights drawn from `generator`, on the CPU in float32. Everything about it
// belongs to one thread. diopter::Error for a shape the forward does not implement.
std::shared_ptr<TrainableBackend> make_trainable(const ModelInfo& shape, const Init& init, at::Generator generator);

// Batches of `data` (token ids; column "counted", bool [row, pos]: which ids are targets that count). The order is
// drawn from `generator` when the stream is made; equal generators give equal streams.
std::shared_ptr<StreamBackend> make_stream(const Prompts& data, const StreamOptions& options, at::Generator generator);

}  // namespace diopter::engine
