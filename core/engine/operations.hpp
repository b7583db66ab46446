// How operations are counted: a multiplication and an addition of a matrix product are two.
#pragma once

#include <diopter/base.hpp>

namespace diopter::engine {

// Of [rows, in] x [in, out].
inline double product_operations(Index rows, Index in, Index out) {
  return 2.0 * static_cast<double>(rows * in) * static_cast<double>(out);
}

}  // namespace diopter::engine
