#include "text/normaliser.hpp"

#include "text/characters.hpp"
#include "text/pattern.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

// Keeps the characters for which `keep` holds.
template <class Keep>
void filter(AlignedText& text, Keep keep) {
  AlignedText::Rewriter out(text);
  const std::string_view source = text.text();
  for (std::size_t at = 0; at < source.size();) {
    const std::size_t size = character_size(source[at]);
    if (keep(character_at(source, at))) out.keep(size);
    else out.drop(size);
    at += size;
  }
  out.finish();
}

void apply_step(const NormalForm& form, AlignedText& text) { to_normal_form(text, form); }

void apply_step(const LowerCase&, AlignedText& text) {
  AlignedText::Rewriter out(text);
  const std::string_view source = text.text();
  for (std::size_t at = 0; at < source.size(); at += character_size(source[at])) {
    const char32_t c = character_at(source, at);
    if (c == 0x130) {
      out.replace(U'i');
      out.insert(0x307);
    } else {
      out.replace(to_lower(c));
    }
  }
  out.finish();
}

void apply_step(const DropMarks&, AlignedText& text) {
  if (!is_ascii(text.text())) filter(text, [](char32_t c) { return !is_mark(c); });
}

void apply_step(const CleanForTranslation&, AlignedText& text) {
  filter(text, [](char32_t c) {
    return !((c >= 0x01 && c <= 0x08) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f);
  });
  AlignedText::Rewriter out(text);
  const std::string_view source = text.text();
  for (std::size_t at = 0; at < source.size(); at += character_size(source[at])) {
    const char32_t c = character_at(source, at);
    const bool space = c == 0x09 || c == 0x0a || c == 0x0c || c == 0x0d || c == 0x1680 ||
                       (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff ||
                       c == 0xfffd;
    out.replace(space ? U' ' : c);
  }
  out.finish();
}

void apply_step(const StripSpace& strip, AlignedText& text) {
  const std::string_view source = text.text();
  const std::size_t left = strip.left ? white_space_at_start(source) : 0;
  const std::size_t right = strip.right ? white_space_at_end(source.substr(left)) : 0;
  if (left + right == 0) return;
  AlignedText::Rewriter out(text);
  out.drop(left);
  out.keep(source.size() - left - right);
  out.finish();
}

void apply_step(const Prepend& prepend, AlignedText& text) {
  if (text.text().empty() || prepend.text.empty()) return;
  AlignedText::Rewriter out(text);
  out.insert_before(prepend.text);
  out.keep(text.text().size());
  out.finish();
}

void apply_step(const Replace& replace, AlignedText& text) {
  const std::string_view source = text.text();
  Regex::Workspace workspace;
  auto match = replace.pattern->find(source, 0, workspace);
  if (!match) return;
  AlignedText::Rewriter out(text);
  std::size_t at = 0;
  for (; match; match = replace.pattern->find(source, at, workspace)) {
    out.keep(match->begin - at);
    out.drop(match->end - match->begin);
    out.insert_after(replace.content);
    at = match->end;
  }
  out.keep(source.size() - at);
  out.finish();
}

void apply_step(const Charsmap& charsmap, AlignedText& text) { charsmap.apply(text); }

class StepReader {
 public:
  std::vector<NormaliserStep> steps;

  void read(const Field& field, int depth) {
    const std::string& type = field.at("type").text();
    if (type == "Sequence") {
      field.only({"type", "normalizers"});
      if (depth > 8) field.refuse("Sequences are nested too deep");
      const Field list = field.at("normalizers");
      for (std::size_t i = 0; i < list.size(); ++i) read(list.at(i), depth + 1);
      return;
    }
    if (!plain(type, field)) with_options(type, field);
  }

 private:
  bool plain(const std::string& type, const Field& field) {
    if (type == "NFC") steps.emplace_back(NormalForm::C);
    else if (type == "NFD") steps.emplace_back(NormalForm::D);
    else if (type == "NFKC") steps.emplace_back(NormalForm::KC);
    else if (type == "NFKD") steps.emplace_back(NormalForm::KD);
    else if (type == "Lowercase") steps.emplace_back(LowerCase{});
    else if (type == "StripAccents") steps.emplace_back(DropMarks{});
    else if (type == "Nmt") steps.emplace_back(CleanForTranslation{});
    else return false;
    field.only({"type"});
    return true;
  }

  void with_options(const std::string& type, const Field& field) {
    if (type == "Strip") {
      field.only({"type", "strip_left", "strip_right"});
      steps.emplace_back(StripSpace{field.at("strip_left").flag(), field.at("strip_right").flag()});
    } else if (type == "Prepend") {
      field.only({"type", "prepend"});
      steps.emplace_back(Prepend{field.at("prepend").text()});
    } else if (type == "Replace") {
      field.only({"type", "pattern", "content"});
      steps.emplace_back(Replace{read_pattern(field.at("pattern")), field.at("content").text()});
    } else if (type == "Precompiled") {
      field.only({"type", "precompiled_charsmap"});
      const Field blob = field.at("precompiled_charsmap");
      const auto bytes = from_base64(blob.text());
      auto charsmap = bytes ? Charsmap::parse(*bytes) : std::nullopt;
      if (!charsmap) blob.refuse("expected SentencePiece's rules in base64");
      steps.emplace_back(std::move(*charsmap));
    } else {
      field.at("type").refuse(
          "supported: NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Nmt, Prepend, Replace, Precompiled, "
          "Sequence");
    }
  }
};

}  // namespace

Normaliser Normaliser::without_prefix() const {
  std::vector<NormaliserStep> steps;
  for (const NormaliserStep& step : steps_) {
    if (!std::holds_alternative<Prepend>(step)) steps.push_back(step);
  }
  return Normaliser(std::move(steps));
}

void Normaliser::apply(AlignedText& text) const {
  for (const NormaliserStep& step : steps_) std::visit([&](const auto& one) { apply_step(one, text); }, step);
}

std::string Normaliser::apply(const std::string& text) const {
  AlignedText aligned;
  aligned.start(text, {0, text.size()}, Track::No);
  apply(aligned);
  return std::string(aligned.text());
}

Normaliser read_normaliser(const Field& root) {
  StepReader reader;
  if (root.has("normalizer")) reader.read(root.at("normalizer"), 0);
  return Normaliser(std::move(reader.steps));
}

std::string replaced(const Replace& replace, std::string_view text, Regex::Workspace& workspace) {
  std::string out;
  std::size_t at = 0;
  while (const auto match = replace.pattern->find(text, at, workspace)) {
    out.append(text, at, match->begin - at);
    out += replace.content;
    at = match->end;
  }
  return out.append(text.substr(at));
}

}  // namespace diopter::text
