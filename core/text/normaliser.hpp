// The key "normalizer" of tokenizer.json: what happens to a text before it is cut into words.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/charsmap.hpp"
#include "text/json_field.hpp"
#include "text/normal_form.hpp"
#include "text/regex.hpp"

namespace diopter::text {

struct LowerCase {};
struct DropMarks {};            // StripAccents
struct CleanForTranslation {};  // Nmt: controls go, odd spaces become spaces
struct StripSpace {
  bool left = false, right = false;
};
struct Prepend {
  std::string text;
};
struct Replace {
  std::shared_ptr<const Regex> pattern;
  std::string content;
};
using NormaliserStep =
    std::variant<NormalForm, LowerCase, DropMarks, CleanForTranslation, StripSpace, Prepend, Replace, Charsmap>;

// Immutable. [any thread]
class Normaliser {
 public:
  Normaliser() = default;
  explicit Normaliser(std::vector<NormaliserStep> steps) : steps_(std::move(steps)) {}

  bool empty() const { return steps_.empty(); }
  Normaliser without_prefix() const;  // without Prepend
  void apply(AlignedText& text) const;
  std::string apply(const std::string& text) const;

 private:
  std::vector<NormaliserStep> steps_;
};

// Supported: null, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Nmt, Prepend, Replace, Precompiled and
// Sequences of them. Others are a UserError(Refused).
Normaliser read_normaliser(const Field& root);

// Every match of the pattern replaced, as the step and the decoder of that name do.
std::string replaced(const Replace& replace, std::string_view text, Regex::Workspace& workspace);

}  // namespace diopter::text
