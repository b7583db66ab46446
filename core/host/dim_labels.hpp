// What stands beside the axes of a tensor: coordinates, token strings of positions, texts of prompts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "host/dims.hpp"
#include "host/record_sink.hpp"

namespace diopter::host {

class DimLabels {
 public:
  explicit DimLabels(const std::vector<Piece>& pieces);
  Dim dim(const std::string& name, const std::vector<Key>& keys) const;

 private:
  void label_positions(Dim& dim) const;
  void label_prompts(Dim& dim) const;

  std::map<std::int64_t, std::vector<Index>> tokens_;  // of each row; rows that came with different tokens are left out
  std::shared_ptr<const TokenCodec> codec_;
};

}  // namespace diopter::host
