// The verb that needs libcurl; libexec/diopter/diopter-pull has it.
#pragma once

#include "cli/verbs.hpp"

namespace diopter::cli {

void add_model_pull(CLI::App& app, Action& action);  // model pull

}  // namespace diopter::cli
