#include "text/json_field.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/utf8.hpp"

namespace diopter::text {

using base::Exit;
using base::Json;
using base::UserError;

namespace {
constexpr int kMaxDepth = 64;  // a tokenizer has 6; printing a value recurses
}

Field::Field(const Json& value, std::string origin, std::string path)
    : value_(&value), origin_(std::move(origin)), path_(std::move(path)) {}

void Field::refuse(const std::string& supported) const {
  const std::string place = path_.empty() ? "the top level" : path_;
  std::string found = base::printable(base::plain_json(*value_), 80);
  if (value_->is_string()) found = base::quoted(base::printable(value_->get_ref<const std::string&>(), 80));
  throw UserError(Exit::Refused, origin_ + ": " + place + " is " + found + "; " + supported,
                  "diopter reads BPE and Unigram tokenizers and refuses what it would do differently.",
                  "tokenizer.unsupported");
}

bool Field::has(const std::string& key) const {
  require_object();
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

Field Field::at(const std::string& key) const {
  if (!has(key)) {
    const std::string place = path_.empty() ? "" : path_ + ".";
    throw UserError(Exit::Refused, origin_ + ": " + place + key + " is missing", {}, "tokenizer.missing");
  }
  return {value_->at(key), origin_, path_.empty() ? key : path_ + "." + key};
}

Field Field::at(std::size_t index) const {
  return {value_->at(index), origin_, path_ + "[" + std::to_string(index) + "]"};
}

std::size_t Field::size() const {
  require_array();
  return value_->size();
}

void Field::require_object() const {
  if (!value_->is_object()) refuse("expected an object");
}

void Field::require_array() const {
  if (!value_->is_array()) refuse("expected an array");
}

const std::string& Field::text() const {
  if (!value_->is_string()) refuse("expected a string");
  return value_->get_ref<const std::string&>();
}

bool Field::flag() const {
  if (!value_->is_boolean()) refuse("expected true or false");
  return value_->get<bool>();
}

bool Field::flag(const std::string& key, bool absent) const { return has(key) ? at(key).flag() : absent; }

bool Field::is_id(const Json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxId);
}

std::int64_t Field::id() const {
  if (!is_id(*value_)) refuse("expected a token id, a whole number from 0 to " + std::to_string(kMaxId));
  return value_->get<std::int64_t>();
}

void Field::only(std::initializer_list<std::string_view> keys) const {
  require_object();
  for (const auto& [key, item] : value_->items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::vector<std::string> known(keys.begin(), keys.end());
    Field(item, origin_, path_.empty() ? key : path_ + "." + key)
        .refuse("this key is not known here; known: " + base::join(known));
  }
}

void Field::require_default(const std::string& key, const Json& wanted) const {
  if (has(key) && at(key).value() != wanted) at(key).refuse("supported: " + wanted.dump() + " or null");
}

Json parse_json(std::string_view bytes, const std::string& origin) {
  std::vector<std::unordered_set<std::string>> open;  // the keys seen in each open object
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) {
      throw UserError(Exit::Refused, origin + " is nested more than " + std::to_string(kMaxDepth) + " deep", {},
                      "tokenizer.json");
    }
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(parsed.get_ref<const std::string&>()).second) {
      throw UserError(Exit::Refused,
                      origin + ": the key " + base::quoted(base::printable(parsed.get_ref<const std::string&>(), 80)) +
                          " occurs twice in one object",
                      {}, "tokenizer.duplicate");
    }
    return true;
  };
  try {
    return Json::parse(bytes.begin(), bytes.end(), watch);
  } catch (const Json::exception& error) {
    throw UserError(Exit::Refused, origin + " is not valid JSON: " + base::printable(error.what()), {},
                    "tokenizer.json");
  }
}

}  // namespace diopter::text
