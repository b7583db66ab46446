// Texts on which tokenizers differ when they differ.
#pragma once

#include <string>
#include <vector>

namespace diopter::exec {

std::vector<std::string> sample_texts();

}  // namespace diopter::exec
