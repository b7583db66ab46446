// Reads [model] and `model = { ... }` of a run. Private to the room.
#pragma once

#include <filesystem>

#include "study/model_settings.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// The keys of `table` put on top of `base`. `name`: "[model]" or "model of run 'resid'".
ModelSettings read_model(const Node& table, const std::string& name, ModelSettings base,
                         const std::filesystem::path& folder, Problems& problems);

}  // namespace diopter::study
