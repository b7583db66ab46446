#include "study/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "study/source_line.hpp"

namespace diopter::study {
namespace {

constexpr std::size_t kMaxCsvProblems = 20;

struct Field {
  std::string text;
  bool quoted = false;
  SourceSpan span;
};

// Walks the text once; keeps line and column (in code points) of where it stands.
class Scanner {
 public:
  Scanner(std::string_view text, std::string file, Problems& problems)
      : text_(text), file_(std::move(file)), problems_(problems) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  bool done() const { return at_ >= text_.size(); }

  // The fields of one record; nullopt: a problem was added, and the rest of its line was skipped.
  std::optional<std::vector<Field>> record() {
    std::vector<Field> out;
    for (;;) {
      auto field = text_.substr(at_).starts_with('"') ? quoted_field() : plain_field();
      if (!field) {
        while (!done() && text_[at_] != '\n') step();
        end_of_record();
        return std::nullopt;
      }
      out.push_back(std::move(*field));
      if (!done() && text_[at_] == ',') {
        step();
        continue;
      }
      end_of_record();
      return out;
    }
  }

 private:
  SourceSpan here(int length = 1) const { return {file_, line_, column_, length, 0}; }

  void step() {
    const auto byte = static_cast<unsigned char>(text_[at_++]);
    if (byte == '\n') {
      ++line_;
      column_ = 1;
    } else if ((text_.size() == at_ || (static_cast<unsigned char>(text_[at_]) & 0xc0) != 0x80)) {
      ++column_;  // counted at the last byte of each character
    }
  }

  void end_of_record() {
    if (!done() && text_[at_] == '\r') step();
    if (!done() && text_[at_] == '\n') step();
  }

  bool at_line_end() const {
    return done() || text_[at_] == '\n' || (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }

  std::optional<Field> plain_field() {
    Field out;
    out.span = here();
    const std::size_t begin = at_;
    while (!at_line_end() && text_[at_] != ',') {
      if (text_[at_] == '"') {
        problems_.error(here(), "a quote inside a field; quote the whole field and double the quotes in it");
        return std::nullopt;
      }
      step();
    }
    out.text = text_.substr(begin, at_ - begin);
    out.span.length = std::max(1, column_ - out.span.column);
    return out;
  }

  std::optional<Field> quoted_field() {
    Field out;
    out.quoted = true;
    out.span = here();
    step();
    for (;;) {
      if (done()) {
        problems_.error(out.span, "the quote that opens here is never closed");
        return std::nullopt;
      }
      if (text_[at_] == '"') {
        step();
        if (done() || text_[at_] != '"') break;
      }
      out.text += text_[at_];
      step();
    }
    out.span.length = line_ == out.span.line ? column_ - out.span.column : kToEndOfLine;
    if (!at_line_end() && text_[at_] != ',') {
      problems_.error(here(), "text after a closing quote; a comma or the end of the line must follow");
      return std::nullopt;
    }
    return out;
  }

  std::string_view text_;
  std::string file_;
  Problems& problems_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
};

bool check_header(const std::vector<Field>& header, Problems& problems) {
  bool fine = true;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i].text.empty()) {
      problems.error(header[i].span, fmt::format("column {} has no name", i + 1));
      fine = false;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!header[i].text.empty() && header[j].text == header[i].text) {
        problems.error(header[i].span, fmt::format("the column '{}' is there twice", header[i].text));
        fine = false;
      }
    }
  }
  return fine;
}

}  // namespace

std::optional<std::vector<PromptRow>> read_csv(std::string_view text, const std::string& file, std::size_t limit,
                                               Problems& problems) {
  const std::size_t before = problems.added();
  Scanner scanner(text, file, problems);
  if (scanner.done()) {
    problems.error({file, 0, 0, 0, 0}, "is empty; the first line must name the columns");
    return std::nullopt;
  }
  const auto header = scanner.record();
  if (!header || !check_header(*header, problems)) return std::nullopt;
  std::vector<PromptRow> rows;
  while (!scanner.done() && rows.size() < limit && problems.added() - before < kMaxCsvProblems) {
    const auto record = scanner.record();
    if (!record) continue;
    if (record->size() == 1 && record->front().text.empty() && !record->front().quoted) continue;  // a blank line
    if (record->size() != header->size()) {
      SourceSpan span = record->front().span;
      span.length = kToEndOfLine;
      problems.error(span, fmt::format("has {} field{}, but the header names {} columns", record->size(),
                                       record->size() == 1 ? "" : "s", header->size()));
      continue;
    }
    PromptRow row;
    row.span = record->front().span;
    row.span.length = kToEndOfLine;
    for (std::size_t i = 0; i < record->size(); ++i) {
      const Field& field = (*record)[i];
      if (field.text.empty() && !field.quoted) continue;
      row.cells.push_back({(*header)[i].text, field.text, field.span});
    }
    rows.push_back(std::move(row));
  }
  if (problems.added() != before) return std::nullopt;
  return rows;
}

}  // namespace diopter::study
