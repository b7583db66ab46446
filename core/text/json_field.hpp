// Reading tokenizer.json strictly: every refusal names the file, the key, what was found and what is supported.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"

namespace diopter::text {

// A value of the file with its place in it ("model.merges[3]"). The JSON document must outlive it.
class Field {
 public:
  Field(const base::Json& value, std::string origin, std::string path);

  const base::Json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  // UserError(Refused): "ORIGIN: PATH is FOUND; SUPPORTED".
  [[noreturn]] void refuse(const std::string& supported) const;

  bool has(const std::string& key) const;  // present and not null; this must be an object
  Field at(const std::string& key) const;  // refuses when absent or null
  Field at(std::size_t index) const;
  std::size_t size() const;  // of an array

  void require_object() const;
  void require_array() const;
  const std::string& text() const;
  bool flag() const;
  bool flag(const std::string& key, bool absent) const;  // null counts as absent
  static bool is_id(const base::Json& value);            // a token id: a whole number in [0, kMaxId]
  std::int64_t id() const;                               // refuses what is none

  // Refuses a key that is not listed: it may change numbers.
  void only(std::initializer_list<std::string_view> keys) const;
  // Refuses a key that is there with a value other than `wanted` or null.
  void require_default(const std::string& key, const base::Json& wanted) const;

  // No known vocabulary is a quarter of this; it bounds the memory a broken file can ask for.
  static constexpr std::int64_t kMaxId = (1 << 22) - 1;

 private:
  const base::Json* value_;
  std::string origin_, path_;
};

// Parses JSON; a syntax error, invalid UTF-8 or a key that occurs twice in one object is a UserError(Refused).
base::Json parse_json(std::string_view bytes, const std::string& origin);

}  // namespace diopter::text
