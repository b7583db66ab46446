// The one validator: a plugin's table (abi.h) against TOML. Serves manifests, overrides, defaults, examples.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diopter/abi.h"
#include "study/model_settings.hpp"
#include "study/node.hpp"
#include "study/param_value.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// What a value is checked against besides its row. Empty functions: that check is left out.
struct ParamSurroundings {
  std::filesystem::path folder;  // of the manifest; overrides are relative to the current folder
  std::optional<ModelSizes> sizes;
  // A [prompts.NAME] set or "@run/output" for this run; nullopt: a problem was added.
  std::function<std::optional<PromptsRef>(const Node& value, Problems& problems)> find_prompts;
  bool check_files = true;  // false for examples of tables: their paths are illustrations
};

// One value of one row: type, choice, range, index_of, path, prompt set. nullopt: problems were added.
std::optional<CheckedParam> check_value(const diopter_param& row, const Node& value, const ParamSurroundings& around,
                                        Problems& problems);

// All parameters of a run: `table` is its [[run]] table; reserved keys are skipped here. Returns the parameters in the
// order of the kind's table, defaults filled in; those with a problem are left out.
std::vector<CheckedParam> check_params(const diopter_kind& kind, const Node& table, const ParamSurroundings& around,
                                       Problems& problems);

// A default or example of a row, as TOML text. Each problem begins with the value, so that it goes on a sentence: "has
// default " + "0, which is outside [1, 100]". Empty: fine. Files and prompt sets are not looked for.
std::vector<std::string> validate_toml_text(const diopter_param& row, std::string_view toml);
// The same, typed, for hosts that need the default's value; nullopt when there are problems.
std::optional<CheckedParam> value_of_toml_text(const diopter_param& row, std::string_view toml);

}  // namespace diopter::study
