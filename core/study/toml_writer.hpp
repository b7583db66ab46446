// JSON -> TOML that people read: sections for tables, [[...]] for lists of tables. Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::study {

// "key = value\n" for each member, in the order of `first`, then alphabetical; null members are left out.
std::string toml_members(const base::Json& table, const std::vector<std::string_view>& first = {});

}  // namespace diopter::study
