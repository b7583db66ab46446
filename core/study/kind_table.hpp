// Rows of a plugin's table, each read through its stride into a zeroed struct of ours, so that older and newer tables
// read alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diopter/abi.h"

namespace diopter::study {

std::vector<diopter_param> params_of(const diopter_kind& kind);
std::vector<diopter_output> outputs_of(const diopter_kind& kind);
std::vector<diopter_hook> hooks_of(const diopter_kind& kind);

std::vector<std::string> split_words(std::string_view text, char separator);  // "a|b" -> a, b; empty pieces dropped
std::string param_type_name(std::uint32_t type);  // "a whole number", "a list of strings" ...
bool is_list_type(std::uint32_t type);

}  // namespace diopter::study
