// Plain values of a pickle as JSON.
#pragma once

#include <string>

#include "base/canonical_json.hpp"
#include "weights/pickle_values.hpp"

namespace diopter::weights {

// Converts values of one pickle; all its results together are bounded, since a pickle of a few bytes can stand for any
// amount: UserError(Refused, id "weights.torch") beyond a depth of 64, a million values or 64 MiB of text.
class PickleJson {
 public:
  PickleJson(const Pickled& pickled, const std::string& file) : p_(pickled), file_(file) {}

  // Tuples and lists become arrays, keys texts, tensors {"tensor": "F32", "shape": [2, 3]}.
  base::Json of(std::uint32_t value) { return at_depth(value, 0); }

 private:
  base::Json at_depth(std::uint32_t value, int depth);
  base::Json list(const PickleValue& value, int depth);
  base::Json dict(const PickleValue& value, int depth);

  const Pickled& p_;
  const std::string& file_;
  std::size_t values_ = 0, text_ = 0;
};

// The text of a dict's key: texts as they are, numbers in decimal. Refused for others.
std::string pickle_key(const Pickled& pickled, std::uint32_t value, const std::string& file);

}  // namespace diopter::weights
