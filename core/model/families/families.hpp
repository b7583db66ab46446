// The families diopter has; one file each.
#pragma once

#include "model/family.hpp"

namespace diopter::model {

const Family& gpt2_family();

}  // namespace diopter::model
