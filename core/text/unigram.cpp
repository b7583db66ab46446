#include "text/unigram.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "text/characters.hpp"

namespace diopter::text {
namespace {

constexpr double kUnknownPenalty = 10.0;
constexpr std::uint32_t kNowhere = 0xffffffff;

}  // namespace

struct UnigramModel::Workspace : WordModel::Workspace {
  struct Node {
    double score = 0;
    std::uint32_t begin = kNowhere, id = 0;  // of the last token of the best way to here
  };
  std::vector<Node> best;  // by byte where a way ends
  std::vector<Token> backwards;
};

UnigramModel::UnigramModel(const UnigramFile& file) : unknown_(file.unknown) {
  double least = std::numeric_limits<double>::infinity();
  std::unordered_map<std::string, std::uint32_t> ids;
  for (std::size_t id = 0; id < file.vocab.size(); ++id) {
    const auto& [token, score] = file.vocab[id];
    trie_.add(token, static_cast<std::uint32_t>(id));  // of equal tokens the last counts
    scores_.push_back(score);
    least = std::min(least, score);
    if (file.byte_fallback && token.starts_with("<0x")) ids[token] = static_cast<std::uint32_t>(id);
  }
  unknown_score_ = least - kUnknownPenalty;
  if (file.byte_fallback) {
    spelling_ = byte_tokens(ids);
    if (std::find(spelling_->begin(), spelling_->end(), kNoToken) != spelling_->end()) spelling_.reset();
  }
}

std::unique_ptr<WordModel::Workspace> UnigramModel::workspace() const { return std::make_unique<Workspace>(); }

std::optional<Span> UnigramModel::search(std::string_view word, Workspace& workspace) const {
  auto& best = workspace.best;
  best.assign(word.size() + 1, {});
  const auto offer = [&](std::size_t begin, std::size_t end, double score, std::uint32_t id) {
    auto& node = best[end];
    const double sum = score + best[begin].score;
    if (node.begin == kNowhere || sum > node.score) node = {sum, static_cast<std::uint32_t>(begin), id};
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t size = character_size(word[at]);
    bool single = false;
    trie_.for_each_prefix(word.substr(at), [&](std::size_t length, std::uint32_t id) {
      offer(at, at + length, scores_[id], id);
      single = single || length == size;
    });
    if (!single) {
      const auto& node = best[at + size];
      const bool better = node.begin == kNowhere || unknown_score_ + best[at].score > node.score;
      if (better && !unknown_) return Span{at, at + size};
      if (better) offer(at, at + size, unknown_score_, *unknown_);
    }
    at += size;
  }
  return std::nullopt;
}

std::optional<Span> UnigramModel::encode(std::string_view word, WordModel::Workspace& workspace,
                                         std::vector<Token>& out) const {
  auto& own = static_cast<Workspace&>(workspace);
  if (const auto missing = search(word, own)) return missing;
  auto& backwards = own.backwards;
  backwards.clear();
  for (auto end = static_cast<std::uint32_t>(word.size()); end > 0;) {
    const auto& node = own.best[end];
    const bool joins = !backwards.empty() && unknown_ == node.id && unknown_ == backwards.back().id;
    if (joins) backwards.back().begin = node.begin;
    else backwards.push_back({node.id, node.begin, end});
    end = node.begin;
  }
  for (auto token = backwards.rbegin(); token != backwards.rend(); ++token) {
    if (unknown_ == token->id) add_unknown(word.substr(token->begin, token->end - token->begin), token->begin, out);
    else out.push_back(*token);
  }
  return std::nullopt;
}

void UnigramModel::add_unknown(std::string_view part, std::uint32_t begin, std::vector<Token>& out) const {
  const auto end = static_cast<std::uint32_t>(begin + part.size());
  const auto known = trie_.find(part);  // "<unk>" written in a text, say
  if (known || !spelling_) return out.push_back({known.value_or(*unknown_), begin, end});
  for (const char c : part) out.push_back({(*spelling_)[static_cast<unsigned char>(c)], begin, end});
}

}  // namespace diopter::text
