// A training run on disk: weights, optimiser state, step count, where its streams stand.
#pragma once

#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "engine/train_adamw.hpp"

namespace diopter::engine {

struct NamedTrained {
  std::string name;
  Trained trained;
};

// Writes a folder beside `directory` and renames it: a kill at any moment leaves the previous checkpoint or the new
// one.
void write_checkpoint(const Path& directory, const std::vector<NamedTrained>& all, const base::Json& state);

// Copies the tensors of the checkpoint into `all` and returns its state; null when there is none. diopter::Error when
// it belongs to another shape or cannot be read.
base::Json read_checkpoint(const Path& directory, const std::vector<NamedTrained>& all);

}  // namespace diopter::engine
