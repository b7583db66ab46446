// Globs over dotted names: '*' matches inside one segment, {0..5} and {a,b} expand, nothing crosses a dot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diopter::base {

// Braces expanded: "blocks.{0..2}.hook_{q,k}" -> 6 names. At most 10,000; malformed braces are a UserError.
std::vector<std::string> expand_braces(std::string_view pattern);
bool matches_glob(std::string_view name, std::string_view pattern);  // pattern without braces

}  // namespace diopter::base
