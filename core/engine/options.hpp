// How a session runs; from [execution] and the run.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/transformer.hpp"

namespace diopter::engine {

struct SessionOptions {
  std::string kind;                    // of the run, for messages; may be empty
  Index memory_budget = 0;             // bytes; 0: 60 % of what is free
  Index verify = 0;                    // cells of each sweep that are run again, plainly, and compared
  bool plain_sweeps = false;           // every cell by a forward of its own: what reuse is tested against
  std::filesystem::path scratch = {};  // kept until this run succeeds: finished cells of its sweeps; empty: nowhere
  std::chrono::milliseconds keep_after{1000};  // of a sweep's work, until which nothing is written there
  // The same weights with products in float32, where the session's model has them in a lower precision: what that costs
  // is measured against it.
  std::shared_ptr<const model::Transformer> exact = {};
  std::vector<Index> end_tokens = {};  // ids that end a generated text
};

}  // namespace diopter::engine
