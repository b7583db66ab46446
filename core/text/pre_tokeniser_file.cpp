#include "base/utf8.hpp"
#include "text/pattern.hpp"
#include "text/pre_tokeniser.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

constexpr int kDeepestSequence = 8;

Delimiter delimiter_of(const Field& field) {
  const std::string& name = field.text();
  if (name == "Removed") return Delimiter::Removed;
  if (name == "Isolated") return Delimiter::Isolated;
  if (name == "MergedWithPrevious") return Delimiter::MergedWithPrevious;
  if (name == "MergedWithNext") return Delimiter::MergedWithNext;
  if (name == "Contiguous") return Delimiter::Contiguous;
  field.refuse("supported: Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

// Words and runs of other characters; white space goes.
SplitByPattern words_and_others() {
  static const auto kPattern =
      std::make_shared<const Regex>("[" + word_characters() + "]+|[^" + word_characters() + white_space() + "]+");
  return {kPattern, Delimiter::Removed, true};
}

class PreTokeniserReader {
 public:
  std::vector<PreTokeniserStep> steps;

  void read(const Field& field, int depth) {
    const std::string& type = field.at("type").text();
    if (type == "Sequence") {
      field.only({"type", "pretokenizers"});
      if (depth > kDeepestSequence) field.refuse("Sequences are nested too deep");
      const Field list = field.at("pretokenizers");
      for (std::size_t i = 0; i < list.size(); ++i) read(list.at(i), depth + 1);
    } else if (type == "ByteLevel") {
      field.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      steps.emplace_back(ByteWords{field.at("add_prefix_space").flag(), field.flag("use_regex", true), true});
    } else if (type == "Metaspace") {
      steps.emplace_back(read_metaspace(field));
    } else if (!splits_by_pattern(type, field) && !splits_by_character(type, field)) {
      field.at("type").refuse(
          "supported: ByteLevel, Split, Metaspace, Whitespace, WhitespaceSplit, Punctuation, Digits, "
          "CharDelimiterSplit, BertPreTokenizer, Sequence");
    }
  }

 private:
  bool splits_by_pattern(const std::string& type, const Field& field) {
    if (type == "Split") {
      field.only({"type", "pattern", "behavior", "invert"});
      steps.emplace_back(SplitByPattern{read_pattern(field.at("pattern")), delimiter_of(field.at("behavior")),
                                        field.at("invert").flag()});
    } else if (type == "CharDelimiterSplit") {
      field.only({"type", "delimiter"});
      const std::string& delimiter = field.at("delimiter").text();
      if (base::code_points(delimiter).size() != 1) field.at("delimiter").refuse("expected one character");
      steps.emplace_back(
          SplitByPattern{std::make_shared<const Regex>(escaped_pattern(delimiter)), Delimiter::Removed, false});
    } else if (type == "Whitespace") {
      field.only({"type"});
      steps.emplace_back(words_and_others());
    } else {
      return false;
    }
    return true;
  }

  bool splits_by_character(const std::string& type, const Field& field) {
    if (type == "WhitespaceSplit") {
      field.only({"type"});
      steps.emplace_back(SplitByCharacter{is_white_space, Delimiter::Removed});
    } else if (type == "BertPreTokenizer") {
      field.only({"type"});
      steps.emplace_back(SplitByCharacter{is_white_space, Delimiter::Removed});
      steps.emplace_back(SplitByCharacter{is_punctuation, Delimiter::Isolated});
    } else if (type == "Punctuation") {
      field.only({"type", "behavior"});
      const auto delimiter = field.has("behavior") ? delimiter_of(field.at("behavior")) : Delimiter::Isolated;
      steps.emplace_back(SplitByCharacter{is_punctuation, delimiter});
    } else if (type == "Digits") {
      field.only({"type", "individual_digits"});
      const bool single = field.at("individual_digits").flag();
      steps.emplace_back(SplitByCharacter{is_numeric, single ? Delimiter::Isolated : Delimiter::Contiguous});
    } else {
      return false;
    }
    return true;
  }
};

}  // namespace

MarkSpaces read_metaspace(const Field& field) {
  field.only({"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  MarkSpaces out;
  out.mark = field.at("replacement").text();
  if (base::code_points(out.mark).size() != 1) field.at("replacement").refuse("expected one character");
  if (field.has("prepend_scheme")) {
    const Field scheme = field.at("prepend_scheme");
    if (scheme.text() == "first") out.prepend = MarkSpaces::Prepend::First;
    else if (scheme.text() == "never") out.prepend = MarkSpaces::Prepend::Never;
    else if (scheme.text() != "always") scheme.refuse("supported: first, never, always");
  }
  if (!field.flag("add_prefix_space", true)) {
    if (out.prepend != MarkSpaces::Prepend::Never) {
      field.at("add_prefix_space").refuse("prepend_scheme says otherwise: make the two agree");
    }
  }
  out.split = field.flag("split", true);
  return out;
}

PreTokeniser read_pre_tokeniser(const Field& root, PreTokeniser::Words words) {
  PreTokeniserReader reader;
  if (root.has("pre_tokenizer")) reader.read(root.at("pre_tokenizer"), 0);
  return PreTokeniser(std::move(reader.steps), words);
}

}  // namespace diopter::text
