#include "text/added_tokens.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace diopter::text {

void AddedTokenSplitter::add(const AddedToken& token, std::string_view form) {
  first_bytes_.set(static_cast<unsigned char>(form[0]));
  forms_.add(form, static_cast<std::uint32_t>(tokens_.size()));
  tokens_.push_back(token);
  tokens_.back().content = form;
}

const AddedToken* AddedTokenSplitter::match_at(std::string_view text, std::size_t at) const {
  const AddedToken* longest = nullptr;
  forms_.for_each_prefix(text.substr(at), [&](std::size_t, std::uint32_t place) { longest = &tokens_[place]; });
  return longest;
}

void AddedTokenSplitter::split(std::string_view text, std::vector<Section>& out) const {
  std::size_t done = 0;
  for (std::size_t at = tokens_.empty() ? text.size() : 0; at < text.size();) {
    const AddedToken* token = first_bytes_[static_cast<unsigned char>(text[at])] ? match_at(text, at) : nullptr;
    if (!token) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;  // what a match covers is used up, also when the match is then discarded
    if (token->single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
    if (token->lstrip) begin = std::max(done, begin - white_space_at_end(text.substr(0, begin)));
    if (token->rstrip) end += white_space_at_start(text.substr(end));
    if (done < begin) out.push_back({-1, {done, begin}});
    out.push_back({token->id, {std::min(begin, end), end}});
    done = std::max(done, end);
  }
  if (done != text.size()) out.push_back({-1, {done, text.size()}});
}

}  // namespace diopter::text
