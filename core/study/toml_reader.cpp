#include "study/toml_reader.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <tuple>

#include "base/utf8.hpp"
#include "study/source_line.hpp"

namespace diopter::study {
namespace {

constexpr std::size_t kMaxBytes = 64u << 20;
constexpr int kMaxDots = 200;  // a.b.c = 1 nests tables, and toml++ limits brackets only

struct Reader {
  std::string file;
  int override_number = 0;

  SourceSpan span(const toml::source_region& region) const {
    SourceSpan out{file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column), 1,
                   override_number};
    out.length = region.end.line == region.begin.line ? std::max(1, static_cast<int>(region.end.column) - out.column)
                                                      : kToEndOfLine;
    return out;
  }

  Node read(const toml::node& node) const {
    Node out;
    out.span = span(node.source());
    if (const auto* table = node.as_table()) {
      out.type = Node::Type::Table;
      for (const auto& [key, value] : *table) {
        out.members.push_back({std::string(key.str()), span(key.source()), read(value)});
      }
      std::stable_sort(out.members.begin(), out.members.end(), [](const Member& a, const Member& b) {
        return std::tuple(a.key_span.line, a.key_span.column) < std::tuple(b.key_span.line, b.key_span.column);
      });
    } else if (const auto* array = node.as_array()) {
      out.type = Node::Type::Array;
      for (const auto& item : *array) out.items.push_back(read(item));
    } else if (const auto* text = node.as_string()) {
      out.type = Node::Type::String;
      out.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      out.type = Node::Type::Integer;
      out.integer = integer->get();
      out.number = static_cast<double>(out.integer);
    } else if (const auto* number = node.as_floating_point()) {
      out.type = Node::Type::Float;
      out.number = number->get();
    } else if (const auto* flag = node.as_boolean()) {
      out.type = Node::Type::Boolean;
      out.boolean = flag->get();
    } else {
      out.type = Node::Type::Date;
      std::ostringstream text_form;
      text_form.imbue(std::locale::classic());
      node.visit([&](const auto& value) {
        if constexpr (toml::is_chronological<decltype(value)>) text_form << value.get();
      });
      out.text = text_form.str();
    }
    return out;
  }
};

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '"' || c == '\'' || c == ' ' || c == '\t';
}

// Line (from 1) with a dotted key of absurd depth, which would overflow the stack when such a table is destroyed.
std::optional<int> absurdly_dotted_line(std::string_view text) {
  int line = 1, dots = 0;
  for (const char c : text) {
    if (c == '.') {
      if (++dots > kMaxDots) return line;
    } else if (!is_key_character(c)) {
      dots = 0;
      if (c == '\n') ++line;
    }
  }
  return std::nullopt;
}

SourceSpan span_at_offset(std::string_view text, std::size_t offset, const std::string& file, int override_number) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  return {file, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(base::code_points(line).size()) + 1, 1, override_number};
}

// "Error while parsing key-value pair: cannot redefine ..." -> "cannot redefine ... (in a key-value pair)"
std::string syntax_sentence(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  const std::size_t colon = description.find(": ");
  if (!description.starts_with(kPrefix) || colon == std::string_view::npos) return std::string(description);
  return fmt::format("{} (in a {})", description.substr(colon + 2),
                     description.substr(kPrefix.size(), colon - kPrefix.size()));
}

}  // namespace

std::optional<Node> read_toml(std::string_view text, const std::string& file, Problems& problems, int override_number) {
  problems.add_source(file, std::string(text.substr(0, std::min(text.size(), kMaxBytes))));
  if (text.size() > kMaxBytes) {
    problems.error({file, 0, 0, 0, override_number},
                   fmt::format("is {} bytes, more than a manifest may have", text.size()));
    return std::nullopt;
  }
  if (const auto bad = base::invalid_utf8_offset(text)) {
    problems.error(span_at_offset(text, *bad, file, override_number), "is not UTF-8 here; save the file as UTF-8");
    return std::nullopt;
  }
  if (const auto line = absurdly_dotted_line(text)) {
    problems.error({file, *line, 1, 1, override_number}, fmt::format("a key has more than {} dots", kMaxDots));
    return std::nullopt;
  }
  try {
    const toml::table table = toml::parse(text, std::string_view(file));
    return Reader{file, override_number}.read(table);
  } catch (const toml::parse_error& e) {
    SourceSpan span = Reader{file, override_number}.span(e.source());
    problems.error(span, "not valid TOML: " + syntax_sentence(e.description()));
    return std::nullopt;
  }
}

}  // namespace diopter::study
