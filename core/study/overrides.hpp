// Overrides of the command line: "run.resid.metrics=['kl_to_clean']" put into the manifest's tree.
#pragma once

#include <string>

#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// KEY is dotted; pieces with dots are quoted. Into a list it goes by number from 1, or by the `id` (or `kind`) of a
// [[run]]. VALUE is TOML; what is not TOML and does not begin like it is a string: model.source=gpt2. Missing tables
// are made. Problems are placed in "override NUMBER".
void apply_override(Node& root, const std::string& text, int number, Problems& problems);

}  // namespace diopter::study
