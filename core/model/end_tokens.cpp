#include "model/end_tokens.hpp"

#include <fmt/format.h>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::model {
namespace {

constexpr const char* kKey = "eos_token_id";

Index end_id(const base::Json& value, const std::filesystem::path& file) {
  if (value.is_number_integer() && value.get<Index>() >= 0) return value.get<Index>();
  throw base::UserError(
      base::Exit::Refused,
      fmt::format("{}: expected {} to be a token id or a list of them, got {}", file.string(), kKey, value.dump()),
      "correct the file", "model.eos_token_id");
}

std::optional<std::vector<Index>> named_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const base::Json config = base::Json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) {
    throw base::UserError(base::Exit::Refused, file.string() + ": expected a JSON object, got something else",
                          "copy the model again", "model.config");
  }
  const auto found = config.find(kKey);
  if (found == config.end() || found->is_null()) return std::nullopt;
  std::vector<Index> ids;
  if (!found->is_array()) return std::vector<Index>{end_id(*found, file)};
  for (const base::Json& id : *found) ids.push_back(end_id(id, file));
  return ids;
}

}  // namespace

std::optional<std::vector<Index>> end_token_ids(const std::filesystem::path& folder) {
  if (auto ids = named_in(folder / "generation_config.json")) return ids;
  return named_in(folder / "config.json");
}

}  // namespace diopter::model
