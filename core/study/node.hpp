// A value of a manifest with its place. TOML, overrides and JSON lines all become this, so that one reader serves them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/source_span.hpp"

namespace diopter::study {

struct Member;

struct Node {
  enum class Type { Table, Array, String, Integer, Float, Boolean, Date, Null };  // Null: JSON only

  Type type = Type::Table;
  std::string text;          // String; Date as written in ISO 8601
  std::int64_t integer = 0;  // Integer
  double number = 0;         // Float; for Integer the same value
  bool boolean = false;
  std::vector<Node> items;      // Array
  std::vector<Member> members;  // Table, in the order of the file
  SourceSpan span;

  bool is(Type t) const { return type == t; }
  bool is_number() const { return type == Type::Integer || type == Type::Float; }
  bool is_array_of_tables() const;                 // not empty, and every item is a table
  const Member* find(std::string_view key) const;  // tables; nullptr when there is none
  Member* find(std::string_view key);
};

struct Member {
  std::string key;
  SourceSpan key_span;
  Node value;
};

std::string type_name(const Node& node);     // "a string", "an integer", "a list", "a table" ...
std::string brief(const Node& node);         // the value as TOML in one line, cut at 60 characters, for messages
std::string toml_text(const Node& node);     // the value as TOML in one line
std::string toml_key(std::string_view key);  // bare, or quoted where it must be
base::Json to_json(const Node& node);        // dates as strings
Node node_of(const base::Json& value);       // without places

}  // namespace diopter::study
