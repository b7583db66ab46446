#include "study/toml_writer.hpp"

#include <algorithm>

#include "study/node.hpp"

namespace diopter::study {

std::string toml_members(const base::Json& table, const std::vector<std::string_view>& first) {
  std::string out;
  const auto write = [&](const std::string& key, const base::Json& value) {
    if (!value.is_null()) out += toml_key(key) + " = " + toml_text(node_of(value)) + "\n";
  };
  for (const auto key : first) {
    if (const auto found = table.find(std::string(key)); found != table.end()) write(std::string(key), *found);
  }
  for (const auto& [key, value] : table.items()) {
    if (std::find(first.begin(), first.end(), key) == first.end()) write(key, value);
  }
  return out;
}

}  // namespace diopter::study
