#include "text/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "base/error.hpp"

namespace diopter::text {
namespace {

std::string error_text(int error) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(error, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  ~Code() { pcre2_code_free(code); }
};

// The JIT's own 32 KiB of stack are enough for our patterns; a file's that asks for more is matched without the JIT.
struct Regex::Workspace::State {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  ~State() { pcre2_match_data_free(data); }
};

Regex::Workspace::Workspace() : state_(std::make_unique<State>()) {
  DIOPTER_CHECK(state_->data, "no memory for PCRE2");
}
Regex::Workspace::~Workspace() = default;
Regex::Workspace::Workspace(Workspace&&) noexcept = default;

Regex::Regex(const std::string& pattern, Source source) : code_(std::make_unique<Code>()), source_(source) {
  int error = 0;
  PCRE2_SIZE at = 0;
  code_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_UCP,
                              &error, &at, nullptr);
  if (!code_->code && source == Source::File) throw RegexError(error_text(error));
  DIOPTER_CHECK(code_->code, "PCRE2 does not compile a pattern at " + std::to_string(at) + ": " + error_text(error));
  const int jit = pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE);
  DIOPTER_CHECK(jit == 0 || jit == PCRE2_ERROR_JIT_BADOPTION || source == Source::File,
                "PCRE2's JIT fails: " + error_text(jit));
}
Regex::~Regex() = default;

bool Regex::matches_empty() const {
  std::uint32_t empty = 0;
  pcre2_pattern_info(code_->code, PCRE2_INFO_MATCHEMPTY, &empty);
  return empty != 0;
}

std::optional<Span> Regex::find(std::string_view text, std::size_t from, Workspace& workspace) const {
  auto& state = *workspace.state_;
  // Validity is the caller's promise: checking here would read the rest of the text for every word.
  int result = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                           PCRE2_NO_UTF_CHECK, state.data, nullptr);
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
    result = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, state.data, nullptr);
  }
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (result < 0 && source_ == Source::File) {
    throw base::UserError(base::Exit::Refused,
                          "a pattern of the tokenizer stops PCRE2 in this text: " + error_text(result),
                          "Encode the text in shorter parts.", "tokenizer.pattern");
  }
  DIOPTER_CHECK(result >= 0, "PCRE2 stopped: " + error_text(result));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(state.data);
  return Span{offsets[0], offsets[1]};
}

}  // namespace diopter::text
