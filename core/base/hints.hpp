// "did you mean": one rule for kinds, parameters, choices, hooks, weights and verbs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diopter::base {

// Damerau-Levenshtein (optimal string alignment), case-folded, '-' equal to '_'.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Names within min(3, max(1, length / 3)) of `name`: at most three, nearest first, ties alphabetical.
std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

// " (did you mean 'a' or 'b'?)"; else, when `known` has at most 12 names, " (known: a, b, c)"; else
// " ('COMMAND' lists them)" or "" without a command. Starts with a space when not empty.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known, std::string_view command = {});

// "a", "a and b", "a, b and c"
std::string join(const std::vector<std::string>& words, std::string_view last = "and");
std::string quoted(std::string_view text);  // 'text'

}  // namespace diopter::base
