#include "text/added_tokens.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace diopter::text {

AddedTokenSplitter::AddedTokenSplitter(const std::vector<AddedToken>& tokens) {
  for (const auto& token : tokens) {
    Pass& pass = token.normalized ? normalized_ : exact_;
    pass.by_length.push_back(token);
    pass.first_bytes.set(static_cast<unsigned char>(token.content[0]));
  }
  for (Pass* pass : {&exact_, &normalized_}) {
    std::stable_sort(pass->by_length.begin(), pass->by_length.end(),
                     [](const auto& a, const auto& b) { return a.content.size() > b.content.size(); });
  }
}

const AddedToken* AddedTokenSplitter::match_at(const Pass& pass, std::string_view text, std::size_t at) {
  for (const auto& token : pass.by_length) {
    if (text.compare(at, token.content.size(), token.content) == 0) return &token;
  }
  return nullptr;
}

void AddedTokenSplitter::split(const Pass& pass, std::string_view text, std::size_t offset, std::vector<Section>& out) {
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* token =
        pass.first_bytes[static_cast<unsigned char>(text[at])] ? match_at(pass, text, at) : nullptr;
    if (!token) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;  // what a match covers is used up, also when the match is then discarded
    if (token->single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
    if (token->lstrip) begin = std::max(done, begin - white_space_at_end(text.substr(0, begin)));
    if (token->rstrip) end += white_space_at_start(text.substr(end));
    if (done < begin) out.push_back({-1, {offset + done, offset + begin}});
    out.push_back({token->id, {offset + std::min(begin, end), offset + end}});
    done = std::max(done, end);
  }
  if (done != text.size()) out.push_back({-1, {offset + done, offset + text.size()}});
}

std::vector<Section> AddedTokenSplitter::split(std::string_view text) const {
  std::vector<Section> first, out;
  split(exact_, text, 0, first);
  if (normalized_.by_length.empty()) return first;
  for (const Section& section : first) {
    if (section.id >= 0) {
      out.push_back(section);
    } else {
      split(normalized_, text.substr(section.span.begin, section.span.end - section.span.begin), section.span.begin,
            out);
    }
  }
  return out;
}

}  // namespace diopter::text
