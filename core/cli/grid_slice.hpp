// Narrowing a tensor on the command line: layer=3, pos=last name of a token, head=-1.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/figure.hpp"

namespace diopter::cli {

// The dimension fixed at one index and gone.
report::Grid fixed_at(const report::Grid& grid, std::size_t dim, std::size_t index);

struct Slice {
  std::string dim;
  std::size_t index = 0;
};
// "DIM=V": V is an index (negative: from the end), else a label or coordinate that occurs once. UserError(Usage) with
// the known names otherwise.
Slice parse_slice(const std::string& text, const report::Grid& grid);

}  // namespace diopter::cli
