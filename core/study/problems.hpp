// Everything wrong with a study, collected, then reported once in the order of the file.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/source_span.hpp"

namespace diopter::study {

enum class Severity { Error, Warning };

struct Problem {
  Severity severity = Severity::Error;
  SourceSpan span;
  std::string message;             // one sentence, no full stop
  std::vector<std::string> notes;  // further lines, printed as they are, indented ("clean      The| Col|os")
  std::string help;                // "" when the message says it all
  std::string guard;               // warnings: "gap", "answer-in-prompt"
};

// Not thread-safe. References returned by error() and warning() stay valid, so a caller writes
// `problems.error(span, "...").help = "..."`.
class Problems {
 public:
  // The text of a file, for the source line under a message. Files are reported in the order they were added.
  void add_source(const std::string& file, std::string text);

  Problem& error(SourceSpan span, std::string message);
  Problem& warning(std::string guard, SourceSpan span, std::string message);  // an error when strict

  void set_strict(bool strict);  // also turns the warnings there are into errors
  bool ok() const;               // no errors
  std::size_t error_count() const;
  std::size_t added() const {
    return problems_.size();
  }  // calls of error() and warning(), to see whether a step added one
  std::size_t warning_count() const;
  std::vector<const Problem*> sorted() const;  // by file, line, column, then as added; equal ones once

  // "file:line:col: error: sentence", the source line, a caret line, notes, help; then "3 errors; nothing was run."
  // when there are errors. "" when there is nothing to say. More than 200 problems are counted, not shown.
  std::string text() const;
  // {"schema":"diopter.check/1","ok":...,"errors":n,"warnings":n,"problems":[...]}
  base::Json json() const;

 private:
  std::string describe(const Problem& problem) const;
  const std::string* line_text(const SourceSpan& span) const;

  std::deque<Problem> problems_;
  std::map<std::string, std::vector<std::string>> lines_;  // file -> its lines
  std::map<std::string, std::size_t> rank_;                // file -> order of add_source
  bool strict_ = false;
};

}  // namespace diopter::study
