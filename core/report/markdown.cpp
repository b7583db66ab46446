#include "report/markdown.hpp"

#include <fmt/format.h>

#include <cctype>
#include <vector>

#include "report/display.hpp"

namespace diopter::report {
namespace {

// Pairs of `mark` around text become a tag; a single one stays.
std::string inline_html(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto span = [&](std::string_view mark, const char* tag, bool nested) {
      if (text.substr(i, mark.size()) != mark) return false;
      const std::size_t end = text.find(mark, i + mark.size());
      if (end == std::string_view::npos || end == i + mark.size()) return false;
      const std::string_view inside = text.substr(i + mark.size(), end - i - mark.size());
      if (inside.front() == ' ' && mark != "`") return false;
      out += fmt::format("<{0}>{1}</{0}>", tag, nested ? inline_html(inside) : escape_html(inside));
      i = end + mark.size();
      return true;
    };
    if (span("`", "code", false) || span("**", "strong", true) || span("*", "em", true)) continue;
    out += escape_html(text.substr(i, 1));
    ++i;
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') lines.emplace_back();
    else if (c != '\r') lines.back() += c;
  }
  if (lines.back().empty()) lines.pop_back();  // the end of the last line begins no new one
  for (std::string& line : lines) line = shown_text(line);
  return lines;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

bool list_item(const std::string& line, bool& numbered, std::string& rest) {
  std::size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits]))) ++digits;
  if (digits > 0 && line.substr(digits, 2) == ". ") {
    numbered = true;
    rest = line.substr(digits + 2);
    return true;
  }
  numbered = false;
  if (line.substr(0, 2) != "- " && line.substr(0, 2) != "* ") return false;
  rest = line.substr(2);
  return true;
}

std::vector<std::string> table_cells(const std::string& line) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|') cells.push_back(trimmed(cell)), cell.clear();
    else cell += line[i];
  }
  return cells;
}

}  // namespace

std::string markdown_html(std::string_view markdown) {
  const std::vector<std::string> lines = lines_of(markdown);
  std::string out, paragraph;
  const auto flush = [&] {
    if (!paragraph.empty()) out += "<p>" + inline_html(paragraph) + "</p>\n";
    paragraph.clear();
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = trimmed(lines[i]);
    bool numbered = false;
    std::string rest;
    if (line.substr(0, 3) == "```") {
      flush();
      std::string code;
      for (++i; i < lines.size() && trimmed(lines[i]).substr(0, 3) != "```"; ++i) code += escape_html(lines[i]) + "\n";
      out += "<pre><code>" + code + "</code></pre>\n";
    } else if (line.empty()) {
      flush();
    } else if (const std::size_t depth = line.find_first_not_of('#'); depth > 0 && depth <= 4 && line[depth] == ' ') {
      flush();
      out += fmt::format("<h{0}>{1}</h{0}>\n", depth + 2, inline_html(trimmed(line.substr(depth))));
    } else if (list_item(line, numbered, rest)) {
      flush();
      const char* tag = numbered ? "ol" : "ul";
      out += fmt::format("<{}>\n", tag);
      bool same = numbered;
      for (; i < lines.size() && list_item(trimmed(lines[i]), same, rest) && same == numbered; ++i)
        out += "<li>" + inline_html(rest) + "</li>\n";
      --i;
      out += fmt::format("</{}>\n", tag);
    } else if (line.front() == '|' && line.size() > 1) {
      flush();
      out += "<table class=\"data-table\">\n";
      for (; i < lines.size() && trimmed(lines[i]).substr(0, 1) == "|"; ++i) {
        const std::string row = trimmed(lines[i]);
        if (row.find_first_not_of("|-: ") == std::string::npos) continue;
        out += "<tr>";
        for (const std::string& cell : table_cells(row)) out += "<td>" + inline_html(cell) + "</td>";
        out += "</tr>\n";
      }
      --i;
      out += "</table>\n";
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  flush();
  return out;
}

}  // namespace diopter::report
