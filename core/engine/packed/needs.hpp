// Which positions of which layer can reach what is read, and where two runs hold equal streams: by reasoning from
// positions, tokens, causality and windows (rule: work is what is changed and needed).
#pragma once

#include <vector>

#include "engine/metric_reader.hpp"

namespace diopter::engine {

using Marks = std::vector<std::uint8_t>;  // [pos] 0 or 1

// For each row of a batch and each layer. Layer l's block reads the stream that enters it and writes the one that
// enters l + 1; the stream after the last block counts as layer n_layers.
class Needs {
 public:
  // `everything`: all positions count as read, because values of the run are observed.
  Needs(const RowBatch& batch, const ModelInfo& info, const MetricReader& reader, bool everything = false);

  const Marks& stream(Index layer, Index row) const { return stream_[at(layer, row)]; }  // entering the layer
  const Marks& keys(Index layer, Index row) const { return keys_[at(layer, row)]; }      // its keys and values
  Index end(Index row) const { return ends_[static_cast<std::size_t>(row)]; }  // positions from here on are dead

 private:
  std::size_t at(Index layer, Index row) const { return static_cast<std::size_t>(layer * rows_ + row); }

  Index rows_;
  std::vector<Marks> stream_, keys_;
  std::vector<Index> ends_;
};

// Where the donor's stream is the base run's, position by position.
class EqualStreams {
 public:
  // `align`: int64 [batch, pos] into the donor. Only for runs without edits.
  EqualStreams(const RowBatch& base, const RowBatch& donor, const at::Tensor& align, const ModelInfo& info);

  const Marks& entering(Index layer, Index row) const { return equal_[static_cast<std::size_t>(layer * rows_ + row)]; }
  // Each position up to `end` belongs to the same position of the donor, so that their streams may be exchanged.
  bool in_place(Index row, Index end) const { return in_place_[static_cast<std::size_t>(row)] >= end; }
  Index in_place_until(Index row) const { return in_place_[static_cast<std::size_t>(row)]; }

 private:
  Index rows_;
  std::vector<Marks> equal_;
  std::vector<Index> in_place_;  // [row] positions below belong to themselves
};

}  // namespace diopter::engine
