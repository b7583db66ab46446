// The same model in the layout of another family: for writing it where other tools read it.
#pragma once

#include <string>

#include "model/parameters.hpp"

namespace diopter::model {

// What `family`'s config.json says of this model. Biases it does not have become zeros, gains ones; a bias that
// `family` has no place for must be zero throughout. The logits are equal up to the order of sums. UserError(Refused)
// naming what the family cannot express.
Parameters rearranged(const Parameters& from, const std::string& family);

}  // namespace diopter::model
