#include "study/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "study/toml_reader.hpp"

namespace diopter::study {
namespace {

struct Override {
  std::vector<std::string> path;
  SourceSpan key_span;
  Node value;
};

// Splits at dots outside of quotes; nothing when a piece is empty or a quote is open.
std::optional<std::vector<std::string>> split_path(std::string_view key) {
  std::vector<std::string> out(1);
  bool was_quoted = false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (c == '"' || c == '\'') {
      const std::size_t close = key.find(c, i + 1);
      if (close == std::string_view::npos) return std::nullopt;
      out.back() += key.substr(i + 1, close - i - 1);
      was_quoted = true;
      i = close;
    } else if (c == '.') {
      if (out.back().empty() && !was_quoted) return std::nullopt;
      out.emplace_back();
      was_quoted = false;
    } else if (c != ' ') {
      out.back() += c;
    }
  }
  if (out.back().empty() && !was_quoted) return std::nullopt;
  return out;
}

std::size_t find_equals(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '=') {
      return i;
    }
  }
  return std::string_view::npos;
}

// The value as written, parsed behind a key of the same length, so that columns are those of the override.
std::optional<Node> parse_value(std::string_view value, std::size_t key_length, const SourceSpan& where,
                                Problems& problems) {
  const std::string head = std::string(key_length, 'k') + "=";
  const std::size_t begin = value.find_first_not_of(" \t");
  const bool toml_like =
      begin != std::string_view::npos && std::string_view("\"'[{").find(value[begin]) != std::string_view::npos;
  Problems attempt;
  if (auto table = read_toml(head + std::string(value), where.file, attempt, where.override_number)) {
    if (table->members.size() == 1 && !table->members[0].value.is(Node::Type::Date))
      return std::move(table->members[0].value);
  }
  if (toml_like) {
    for (const Problem* p : attempt.sorted()) problems.error(p->span, p->message);
    return std::nullopt;
  }
  Node word;
  word.type = Node::Type::String;
  word.text = value;
  word.span = where;
  word.span.column = static_cast<int>(key_length) + 2;
  word.span.length = static_cast<int>(base::code_points(value).size());
  return word;
}

std::optional<Override> parse(const std::string& text, int number, Problems& problems) {
  const std::string file = fmt::format("override {}", number);
  problems.add_source(file, text);
  SourceSpan whole{file, 1, 1, 1, number};
  if (base::invalid_utf8_offset(text) || text.find('\0') != std::string::npos) {
    problems.error(whole, "is not UTF-8 text");
    return std::nullopt;
  }
  whole.length = static_cast<int>(base::code_points(text).size());
  const std::size_t equals = find_equals(text);
  const auto path = split_path(std::string_view(text).substr(0, std::min(equals, text.size())));
  if (equals == std::string::npos || !path || equals + 1 == text.size()) {
    problems.error(whole, "an override is written KEY=VALUE, for example model.source=gpt2");
    return std::nullopt;
  }
  if (path->size() > 32) {
    problems.error(whole, "an override's key has more than 32 pieces");
    return std::nullopt;
  }
  Override out;
  out.path = *path;
  out.key_span = whole;
  out.key_span.length = static_cast<int>(base::code_points(std::string_view(text).substr(0, equals)).size());
  auto value = parse_value(std::string_view(text).substr(equals + 1), static_cast<std::size_t>(out.key_span.length),
                           out.key_span, problems);
  if (!value) return std::nullopt;
  out.value = std::move(*value);
  return out;
}

std::string id_of(const Node& table) {
  for (const auto* key : {"id", "kind"}) {
    if (const Member* m = table.find(key); m != nullptr && m->value.is(Node::Type::String)) return m->value.text;
  }
  return {};
}

// The item of a list that a piece of the path names; nullptr: a problem was added.
Node* item_of(Node& list, const std::string& piece, const Override& o, Problems& problems) {
  std::vector<std::string> names;
  for (auto& item : list.items) {
    const std::string id = item.is(Node::Type::Table) ? id_of(item) : std::string();
    if (!id.empty() && id == piece) return &item;
    if (!id.empty()) names.push_back(id);
  }
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
  if (status == std::errc() && end == piece.data() + piece.size() && number >= 1 && number <= list.items.size()) {
    return &list.items[number - 1];
  }
  const std::string what = o.path.front() == "run" && !names.empty() ? "no run has the id" : "there is no item";
  problems.error(o.key_span, fmt::format("{} '{}'{}", what, piece, base::did_you_mean(piece, names)));
  return nullptr;
}

}  // namespace

void apply_override(Node& root, const std::string& text, int number, Problems& problems) {
  const auto parsed = parse(text, number, problems);
  if (!parsed) return;
  const Override& o = *parsed;
  Node* at = &root;
  for (std::size_t i = 0; i + 1 < o.path.size(); ++i) {
    if (at->is(Node::Type::Array)) {
      at = item_of(*at, o.path[i], o, problems);
      if (at == nullptr) return;
    } else if (at->is(Node::Type::Table)) {
      Member* m = at->find(o.path[i]);
      if (m == nullptr) {
        Node table;
        table.span = o.key_span;
        at->members.push_back({o.path[i], o.key_span, std::move(table)});
        m = &at->members.back();
      }
      at = &m->value;
    } else {
      problems.error(o.key_span,
                     fmt::format("'{}' is {}, so it has no '{}'", o.path[i - 1], type_name(*at), o.path[i]));
      return;
    }
  }
  const std::string& last = o.path.back();
  if (at->is(Node::Type::Table)) {
    if (Member* m = at->find(last)) {
      *m = {last, o.key_span, o.value};
    } else {
      at->members.push_back({last, o.key_span, o.value});
    }
  } else if (at->is(Node::Type::Array)) {
    if (Node* item = item_of(*at, last, o, problems)) *item = o.value;
  } else {
    problems.error(o.key_span,
                   fmt::format("'{}' is {}, so it has no '{}'", o.path[o.path.size() - 2], type_name(*at), last));
  }
}

}  // namespace diopter::study
