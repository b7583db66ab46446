// A tensor put together from the pieces a plugin logged.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "host/dims.hpp"
#include "host/record_sink.hpp"

namespace diopter::host {

class AssembledTensor {
 public:
  AssembledTensor(std::string what, std::vector<DimNames> alternatives);  // "tensor 'kl' of kind 'lens'"

  void add(const at::Tensor& value, const Labels& labels, const PieceFacts& facts);  // Error when it does not fit
  bool empty() const { return pieces_.empty(); }

  struct Whole {
    at::Tensor value;
    std::vector<Dim> dims;
  };
  // All pieces in place; rows shorter than the longest are padded along pos, dest and src with NaN (integers: -1). A
  // cell written twice or never is an Error that names it.
  Whole whole() const;

 private:
  std::string what_;
  std::vector<DimNames> alternatives_;
  std::vector<Piece> pieces_;
};

}  // namespace diopter::host
