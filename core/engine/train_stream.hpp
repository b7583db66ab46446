// Batches of a data set: documents in a random permutation per epoch, sorted by length within a step.
#pragma once

#include <vector>

#include <diopter_host/backends.hpp>

#include "base/canonical_json.hpp"

namespace diopter::engine {

class TrainStream final : public StreamBackend {
 public:
  // diopter::Error for continuous inputs, a document of less than two ids or a "counted" of another shape.
  TrainStream(Prompts data, const StreamOptions& options, at::Generator generator);

  std::vector<Batch> next() override;
  Index epoch() const override { return place_.epoch; }

  // Where it stands, for a checkpoint; restore() refuses the state of another stream (false).
  base::Json state() const;
  bool restore(const base::Json& state);
  const Path& tokenizer_file() const { return data_.data()->tokenizer_file; }

 private:
  struct Row {
    std::vector<Index> ids, targets;  // inputs, and the next id of each or -1
  };
  struct Place {
    Index epoch = 0, document = 0,
          id = 0;  // document: how many of the epoch were taken; id: of the next one, when packing
  };

  void permute();
  Index take_document();  // the next of the permutation; a new epoch at its end
  Row document_row(Index document) const;
  Row packed_row();
  bool counts(Index document, std::size_t id) const;

  Prompts data_;
  StreamOptions options_;
  at::Tensor counted_;  // bool [document, pos]; undefined: every id counts
  std::uint64_t seed_;
  Place place_;
  std::vector<Index> order_;  // of the epoch
};

}  // namespace diopter::engine
