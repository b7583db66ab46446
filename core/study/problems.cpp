#include "study/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/utf8.hpp"
#include "study/source_line.hpp"

namespace diopter::study {
namespace {

constexpr std::size_t kShown = 200;

std::string place(const SourceSpan& span) {
  if (span.file.empty()) return {};
  if (span.override_number > 0 || span.line <= 0) return span.file + ": ";
  return fmt::format("{}:{}:{}: ", span.file, span.line, span.column);
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (begin == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    out.push_back(std::move(line));
    begin = end + 1;
  }
  return out;
}

}  // namespace

void Problems::add_source(const std::string& file, std::string text) {
  rank_.emplace(file, rank_.size());
  lines_[file] = split_lines(text);
}

Problem& Problems::error(SourceSpan span, std::string message) {
  problems_.push_back({Severity::Error, std::move(span), std::move(message), {}, {}, {}});
  return problems_.back();
}

Problem& Problems::warning(std::string guard, SourceSpan span, std::string message) {
  const Severity severity = strict_ ? Severity::Error : Severity::Warning;
  problems_.push_back({severity, std::move(span), std::move(message), {}, {}, std::move(guard)});
  return problems_.back();
}

void Problems::set_strict(bool strict) {
  strict_ = strict;
  for (auto& problem : problems_) {
    if (!problem.guard.empty()) problem.severity = strict ? Severity::Error : Severity::Warning;
  }
}

bool Problems::ok() const { return error_count() == 0; }

std::size_t Problems::error_count() const {
  const auto all = sorted();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const Problem* p) { return p->severity == Severity::Error; }));
}

std::size_t Problems::warning_count() const { return sorted().size() - error_count(); }

std::vector<const Problem*> Problems::sorted() const {
  const auto rank = [this](const Problem* p) {
    const auto found = rank_.find(p->span.file);
    return std::tuple(found == rank_.end() ? rank_.size() : found->second, p->span.line, p->span.column);
  };
  std::vector<const Problem*> out;
  std::set<std::tuple<std::string_view, int, int, std::string_view>> seen;
  for (const auto& problem : problems_) {
    const SourceSpan& at = problem.span;
    if (seen.insert({at.file, at.line, at.column, problem.message}).second) out.push_back(&problem);
  }
  std::stable_sort(out.begin(), out.end(), [&](const Problem* a, const Problem* b) { return rank(a) < rank(b); });
  return out;
}

const std::string* Problems::line_text(const SourceSpan& span) const {
  const auto file = lines_.find(span.file);
  if (file == lines_.end() || span.line < 1) return nullptr;
  const auto index = static_cast<std::size_t>(span.line) - 1;
  return index < file->second.size() ? &file->second[index] : nullptr;
}

std::string Problems::describe(const Problem& problem) const {
  std::string out = place(problem.span);
  out += problem.severity == Severity::Error ? "error: " : "warning: ";
  out += problem.message;
  if (!problem.guard.empty()) out += "   [" + problem.guard + "]";
  out += '\n';
  if (const std::string* line = line_text(problem.span)) out += source_line(*line, problem.span);
  for (const auto& note : problem.notes) out += "      " + note + "\n";
  if (!problem.help.empty()) out += "   help: " + problem.help + "\n";
  return out;
}

std::string Problems::text() const {
  const auto all = sorted();
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i) out += describe(*all[i]);
  if (all.size() > kShown) out += fmt::format("... and {} more\n", all.size() - kShown);
  const std::size_t errors = error_count();
  if (errors > 0) out += fmt::format("{} error{}; nothing was run.\n", errors, errors == 1 ? "" : "s");
  return out;
}

base::Json Problems::json() const {
  base::Json list = base::Json::array();
  for (const Problem* p : sorted()) {
    base::Json entry = {{"severity", p->severity == Severity::Error ? "error" : "warning"}, {"message", p->message}};
    if (!p->span.file.empty()) entry["file"] = p->span.file;
    if (p->span.override_number > 0) entry["override"] = p->span.override_number;
    if (const std::string* line = line_text(p->span)) {
      const std::string shown = base::replace_invalid_utf8(*line);
      const auto rest = static_cast<int>(base::code_points(shown).size()) - p->span.column + 1;
      entry["line"] = p->span.line;
      entry["column"] = p->span.column;
      entry["length"] = std::max(1, std::min(p->span.length, rest));
      entry["source"] = shown;
    }
    if (!p->notes.empty()) entry["notes"] = p->notes;
    if (!p->help.empty()) entry["help"] = p->help;
    if (!p->guard.empty()) entry["guard"] = p->guard;
    list.push_back(std::move(entry));
  }
  return {{"schema", "diopter.check/1"},
          {"ok", ok()},
          {"errors", error_count()},
          {"warnings", warning_count()},
          {"problems", std::move(list)}};
}

}  // namespace diopter::study
