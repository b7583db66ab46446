#include "text/pre_tokeniser.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "text/byte_alphabet.hpp"
#include "text/characters.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

using Matches = std::vector<std::pair<Span, bool>>;

// The word as contiguous parts, each a match or what lies between two.
void find_parts(const SplitByPattern& split, std::string_view text, Span word, PreTokeniser::Workspace& workspace) {
  const std::string_view inside = text.substr(word.begin, word.end - word.begin);
  std::size_t at = 0;
  const auto part = [&](std::size_t begin, std::size_t end, bool match) {
    if (begin < end) workspace.matches.push_back({{word.begin + begin, word.begin + end}, match != split.invert});
  };
  while (at < inside.size()) {
    const auto match = split.pattern->find(inside, at, workspace.regex);
    if (!match) break;
    part(at, match->begin, false);
    part(match->begin, match->end, true);
    at = match->end;
  }
  part(at, inside.size(), false);
}

void find_parts(const SplitByCharacter& split, std::string_view text, Span word, PreTokeniser::Workspace& workspace) {
  std::size_t done = word.begin;
  for (std::size_t at = word.begin; at < word.end;) {
    const std::size_t size = character_size(text[at]);
    if (split.cuts(character_at(text, at))) {
      if (done < at) workspace.matches.push_back({{done, at}, false});
      workspace.matches.push_back({{at, at + size}, true});
      done = at + size;
    }
    at += size;
  }
  if (done < word.end) workspace.matches.push_back({{done, word.end}, false});
}

// Appends the words that the parts make. `merges`: whether a part joins the one before it.
template <class Merges>
void join_parts(const Matches& parts, std::vector<Span>& out, Merges merges) {
  bool previous = false, any = false;
  for (const auto& [span, match] : parts) {
    if (any && merges(match, previous)) out.back().end = span.end;
    else out.push_back(span);
    any = true;
    previous = match;
  }
}

void deliver(const Matches& parts, Delimiter delimiter, std::vector<Span>& out) {
  switch (delimiter) {
    case Delimiter::Isolated:
      for (const auto& [span, match] : parts) out.push_back(span);
      return;
    case Delimiter::Removed:
      for (const auto& [span, match] : parts) {
        if (!match) out.push_back(span);
      }
      return;
    case Delimiter::Contiguous:
      return join_parts(parts, out, [](bool match, bool previous) { return match == previous; });
    case Delimiter::MergedWithPrevious:
      return join_parts(parts, out, [](bool match, bool previous) { return match && !previous; });
    case Delimiter::MergedWithNext: {
      // The same from the back.
      const std::size_t begin = out.size();
      bool previous = false;
      for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (part->second && !previous && out.size() > begin) out.back().begin = part->first.begin;
        else out.push_back(part->first);
        previous = part->second;
      }
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
    }
  }
}

template <class Split>
void split_words(const Split& split, std::string_view text, std::vector<Span>& words,
                 PreTokeniser::Workspace& workspace) {
  workspace.spare.clear();
  for (const Span& word : words) {
    workspace.matches.clear();
    find_parts(split, text, word, workspace);
    deliver(workspace.matches, split.delimiter, workspace.spare);
  }
  words.swap(workspace.spare);
}

void cut_step(const SplitByPattern& split, AlignedText& text, std::vector<Span>& words,
              PreTokeniser::Workspace& workspace) {
  split_words(split, text.text(), words, workspace);
}

void cut_step(const SplitByCharacter& split, AlignedText& text, std::vector<Span>& words,
              PreTokeniser::Workspace& workspace) {
  split_words(split, text.text(), words, workspace);
}

// Rewrites word by word: `rewrite(out, word)` makes one; `words` become where they then stand.
template <class Rewrite>
void rewrite_words(AlignedText& text, std::vector<Span>& words, Rewrite rewrite) {
  AlignedText::Rewriter out(text);
  std::size_t at = 0;
  for (Span& word : words) {
    out.drop(word.begin - at);
    at = word.end;
    const std::size_t begin = out.size();
    rewrite(out, word);
    word = {begin, out.size()};
  }
  out.finish();
}

void cut_step(const MarkSpaces& spaces, AlignedText& text, std::vector<Span>& words,
              PreTokeniser::Workspace& workspace) {
  const std::string_view source = text.text();
  rewrite_words(text, words, [&](AlignedText::Rewriter& out, const Span& word) {
    const std::string_view inside = source.substr(word.begin, word.end - word.begin);
    const bool marked = inside.starts_with(' ') || inside.starts_with(spaces.mark);
    const bool wanted = spaces.prepend == MarkSpaces::Prepend::Always ||
                        (spaces.prepend == MarkSpaces::Prepend::First && text.begins_the_original(word.begin));
    if (!marked && wanted) out.insert_before(spaces.mark);
    for (std::size_t at = 0; at < inside.size();) {
      const std::size_t space = std::min(inside.find(' ', at), inside.size());
      out.keep(space - at);
      at = space;
      if (at == inside.size()) break;
      out.drop(1);
      out.insert_after(spaces.mark);
      ++at;
    }
  });
  if (!spaces.split) return;
  workspace.spare.clear();
  for (const Span& word : words) {
    std::size_t begin = word.begin;
    for (;;) {
      const std::size_t next = std::min(text.text().find(spaces.mark, begin + 1), word.end);
      workspace.spare.push_back({begin, next});
      if (next == word.end) break;
      begin = next;
    }
  }
  words.swap(workspace.spare);
}

void cut_step(const ByteWords& bytes, AlignedText& text, std::vector<Span>& words, PreTokeniser::Workspace& workspace) {
  const auto lacks_space = [&](const Span& word) { return text.text()[word.begin] != ' '; };
  if (bytes.add_prefix_space && std::any_of(words.begin(), words.end(), lacks_space)) {
    const std::string_view source = text.text();
    rewrite_words(text, words, [&](AlignedText::Rewriter& out, const Span& word) {
      if (source[word.begin] != ' ') out.insert_before(" ");
      out.keep(word.end - word.begin);
    });
  }
  if (bytes.use_regex) {
    workspace.spare.clear();
    for (const Span& word : words) {
      const std::string_view inside = text.text().substr(word.begin, word.end - word.begin);
      for (std::size_t at = 0; at < inside.size();) {
        const auto match = gpt2_pattern().find(inside, at, workspace.regex);
        // The pattern's classes and their complement cover every character.
        DIOPTER_CHECK(match && match->begin == at && match->end > at, "the GPT-2 pattern left a character out");
        workspace.spare.push_back({word.begin + match->begin, word.begin + match->end});
        at = match->end;
      }
    }
    words.swap(workspace.spare);
  }
  if (!bytes.to_symbols) return;
  const std::string_view source = text.text();
  rewrite_words(text, words, [&](AlignedText::Rewriter& out, const Span& word) {
    for (std::size_t at = word.begin; at < word.end;) {
      const std::size_t size = character_size(source[at]);
      out.replace(symbol_of(static_cast<unsigned char>(source[at])));
      for (std::size_t i = 1; i < size; ++i) out.insert(symbol_of(static_cast<unsigned char>(source[at + i])));
      at += size;
    }
  });
}

}  // namespace

PreTokeniser::PreTokeniser(std::vector<PreTokeniserStep> steps, Words words) : steps_(std::move(steps)) {
  const auto is_bytes = [](const PreTokeniserStep& step) { return std::holds_alternative<ByteWords>(step); };
  const bool last = !steps_.empty() && is_bytes(steps_.back());
  gives_bytes_ = words == Words::Bytes && last && std::count_if(steps_.begin(), steps_.end(), is_bytes) == 1;
  if (last) std::get<ByteWords>(steps_.back()).to_symbols = !gives_bytes_;
}

bool PreTokeniser::prefixes_bytes() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const PreTokeniserStep& step) {
    const auto* bytes = std::get_if<ByteWords>(&step);
    return bytes && bytes->add_prefix_space;
  });
}

PreTokeniser PreTokeniser::without_prefix() const {
  PreTokeniser out = *this;
  for (PreTokeniserStep& step : out.steps_) {
    if (auto* bytes = std::get_if<ByteWords>(&step)) bytes->add_prefix_space = false;
    if (auto* spaces = std::get_if<MarkSpaces>(&step)) spaces->prepend = MarkSpaces::Prepend::Never;
  }
  return out;
}

bool PreTokeniser::asks_for_origins(bool normalised) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto* spaces = std::get_if<MarkSpaces>(&steps_[i]);
    if (spaces && spaces->prepend == MarkSpaces::Prepend::First && (normalised || i > 0)) return true;
  }
  return false;
}

void PreTokeniser::cut(AlignedText& text, std::vector<Span>& words, Workspace& workspace) const {
  words.clear();
  if (text.text().empty()) return;
  words.push_back({0, text.text().size()});
  for (const PreTokeniserStep& step : steps_) {
    std::visit([&](const auto& one) { cut_step(one, text, words, workspace); }, step);
  }
}

}  // namespace diopter::text
