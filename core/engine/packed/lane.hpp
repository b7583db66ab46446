// One cell's run of one prompt, as far as it differs from the base run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/packed/needs.hpp"
#include "engine/packed/packed_edit.hpp"

namespace diopter::engine {

// What is known of the residual stream at one position. No bit: it is computed, a row of its own.
enum StreamIs : std::uint8_t { kOwn = 0, kBase = 1, kDonor = 2 };

// A change at the positions of one prompt that can reach what is read.
struct LaneEdit {
  const PackedEdit* edit;
  std::vector<Index> positions;  // ascending

  bool acts_at(Index pos) const { return std::binary_search(positions.begin(), positions.end(), pos); }
};

struct Lane {
  Index cell = 0, row = 0, end = 0;  // of the chunk; of the batch; positions from `end` on are dead
  Index first_layer = 0;             // of its first change; n_layers: after the blocks
  std::vector<LaneEdit> edits;       // in firing order
  bool donor_serves = false;         // its one change puts a donor's stream, so later values may be the donor's
  std::vector<std::uint8_t> stream;  // [pos] StreamIs of the stream entering the layer at hand
  bool changed = false;              // some edit altered a bit

  const LaneEdit* edit_at(HookId id) const {
    for (const LaneEdit& edit : edits) {
      if (edit.edit->id() == id) return &edit;
    }
    return nullptr;
  }
  bool begins_after(Index layer) const { return first_layer > layer; }
};

}  // namespace diopter::engine
