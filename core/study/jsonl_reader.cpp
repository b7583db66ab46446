#include "study/jsonl_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "study/source_line.hpp"

namespace diopter::study {
namespace {

using base::Json;
constexpr std::size_t kMaxLineProblems = 20;

int code_points_before(std::string_view line, std::size_t offset) {
  return static_cast<int>(std::count_if(line.begin(),
                                        line.begin() + static_cast<std::ptrdiff_t>(std::min(offset, line.size())),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Byte ranges of the keys and values of the outermost object of a line that is known to be valid JSON.
struct MemberRange {
  std::size_t key_begin, key_end, value_begin, value_end;
};

std::size_t skip_space(std::string_view line, std::size_t at) {
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r')) ++at;
  return at;
}

std::size_t skip_string(std::string_view line, std::size_t at) {  // at the opening quote; behind the closing one
  for (++at; line[at] != '"'; ++at) {
    if (line[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t skip_value(std::string_view line, std::size_t at) {
  int depth = 0;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"') {
      at = skip_string(line, at);
      if (depth == 0) return at;
      --at;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r')) {
      return at;
    }
  }
  return at;
}

std::vector<MemberRange> members_of(std::string_view line) {
  std::vector<MemberRange> out;
  std::size_t at = skip_space(line, skip_space(line, 0) + 1);
  while (at < line.size() && line[at] == '"') {
    MemberRange m{};
    m.key_begin = at;
    m.key_end = at = skip_string(line, at);
    at = skip_space(line, skip_space(line, at) + 1);  // the colon
    m.value_begin = at;
    m.value_end = at = skip_value(line, at);
    out.push_back(m);
    at = skip_space(line, at);
    if (at < line.size() && line[at] == ',') at = skip_space(line, at + 1);
  }
  return out;
}

// Deeper values than any column may hold are refused before anything recursive sees them.
bool nests_deeper_than(std::string_view line, int limit) {
  int depth = 0;
  for (const char c : line) {
    if (c == '[' || c == '{') ++depth;  // brackets in strings count too: a generous limit makes that harmless
    if (c == ']' || c == '}') --depth;
    if (depth > limit) return true;
  }
  return false;
}

class Line {
 public:
  Line(std::string_view text, const std::string& file, int number, Problems& problems)
      : text_(text), file_(file), number_(number), problems_(problems) {}

  // Nothing: a problem was added.
  std::optional<PromptRow> row() const {
    if (const auto bad = base::invalid_utf8_offset(text_)) {
      problems_.error(span(*bad, *bad + 1), "is not UTF-8 here; save the file as UTF-8");
      return std::nullopt;
    }
    if (nests_deeper_than(text_, 1000)) {
      problems_.error(span(0, text_.size()), "has more than 1000 nested brackets");
      return std::nullopt;
    }
    Json value;
    try {
      value = Json::parse(text_);
    } catch (const Json::parse_error& e) {
      const std::size_t at = e.byte > 0 ? e.byte - 1 : 0;
      problems_.error(span(at, at + 1), "not valid JSON: " + reason(e.what()));
      return std::nullopt;
    } catch (const Json::out_of_range& e) {
      problems_.error(span(0, text_.size()), "not valid JSON: " + reason(e.what()));
      return std::nullopt;
    }
    if (!value.is_object()) {
      problems_.error(span(0, text_.size()), "is not an object; a line is {\"clean\": \"...\", \"answer\": \" ...\"}");
      return std::nullopt;
    }
    PromptRow out;
    out.span = span(0, text_.size());
    for (const MemberRange& m : members_of(text_)) {
      const auto key = Json::parse(text_.substr(m.key_begin, m.key_end - m.key_begin)).get<std::string>();
      if (out.find(key) != nullptr) {
        problems_.error(span(m.key_begin, m.key_end), fmt::format("the key '{}' is there twice", key));
        return std::nullopt;
      }
      const Json& cell = Json::parse(text_.substr(m.value_begin, m.value_end - m.value_begin));
      if (!cell.is_null()) out.cells.push_back({key, cell, span(m.value_begin, m.value_end)});
    }
    return out;
  }

 private:
  SourceSpan span(std::size_t begin, std::size_t end) const {
    const int column = code_points_before(text_, begin) + 1;
    return {file_, number_, column, std::max(1, code_points_before(text_, end) + 1 - column), 0};
  }

  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while parsing ..." -> "syntax error
  // ..."
  static std::string reason(std::string what) {
    for (const std::string_view mark : {std::string_view(": "), std::string_view("] ")}) {
      if (const auto at = what.find(mark); at != std::string::npos)
        return base::printable(what.substr(at + mark.size()));
    }
    return what;
  }

  std::string_view text_;
  const std::string& file_;
  int number_;
  Problems& problems_;
};

}  // namespace

std::optional<std::vector<PromptRow>> read_jsonl(std::string_view text, const std::string& file, std::size_t limit,
                                                 Problems& problems) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t before = problems.added();
  std::vector<PromptRow> rows;
  int number = 0;
  while (!text.empty() && rows.size() < limit && problems.added() - before < kMaxLineProblems) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    if (skip_space(line, 0) == line.size()) continue;
    if (auto row = Line(line, file, number, problems).row()) rows.push_back(std::move(*row));
  }
  if (problems.added() != before) return std::nullopt;
  return rows;
}

}  // namespace diopter::study
