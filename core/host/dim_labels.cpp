#include "host/dim_labels.hpp"

#include <set>

#include <diopter_host/specs.hpp>

namespace diopter::host {
namespace {

constexpr std::size_t kMostPromptLabelBytes = 64 * 1024;  // beyond, rows are known by their number

}  // namespace

DimLabels::DimLabels(const std::vector<Piece>& pieces) {
  std::set<std::int64_t> ambiguous;
  std::set<const PromptsData*> seen;
  for (const Piece& piece : pieces) {
    const PromptsData& data = *piece.rows.data();
    if (!seen.insert(&data).second) continue;
    if (data.codec) codec_ = data.codec;
    for (const PromptsData::Row& row : data.rows) {
      const std::vector<Index>& tokens = data.side == PromptsData::Side::Corrupted ? row.corrupted : row.tokens;
      const auto [at, is_new] = tokens_.emplace(row.index, tokens);
      if (!is_new && at->second != tokens) ambiguous.insert(row.index);
    }
  }
  // Clean and corrupted rows in one tensor: neither text labels it.
  if (!ambiguous.empty()) tokens_.clear();
}

Dim DimLabels::dim(const std::string& name, const std::vector<Key>& keys) const {
  Dim dim{name, {}, {}, {}, {}};
  for (const Key& key : keys) {
    if (const auto* index = std::get_if<std::int64_t>(&key)) dim.coord.push_back(*index);
    if (const auto* real = std::get_if<double>(&key)) dim.reals.push_back(*real);
    if (const auto* text = std::get_if<std::string>(&key)) dim.labels.push_back(*text);
  }
  if (is_position(name)) label_positions(dim);
  if (name == "prompt") label_prompts(dim);
  return dim;
}

// The tokens of one row, or those that all rows of equal length share; "pos" where they differ.
void DimLabels::label_positions(Dim& dim) const {
  if (!codec_ || tokens_.empty()) return;
  const std::vector<Index>& first = tokens_.begin()->second;
  for (const auto& [row, tokens] : tokens_) {
    if (tokens.size() != first.size()) return;
  }
  for (const std::int64_t position : dim.coord) {
    const auto p = static_cast<std::size_t>(position);
    if (position < 0 || p >= first.size()) {  // not a position of these rows
      dim.labels.clear();
      dim.ids.clear();
      return;
    }
    bool shared = true;
    for (const auto& [row, tokens] : tokens_) shared = shared && tokens[p] == first[p];
    dim.labels.push_back(shared ? codec_->text(first[p]) : "pos");
    dim.ids.push_back(shared ? first[p] : -1);
  }
}

void DimLabels::label_prompts(Dim& dim) const {
  if (!codec_) return;
  std::size_t bytes = 0;
  for (const std::int64_t row : dim.coord) {
    const auto found = tokens_.find(row);
    std::string text;
    if (found != tokens_.end()) {
      for (const Index token : found->second) text += codec_->text(token);
    }
    bytes += text.size();
    dim.labels.push_back(std::move(text));
  }
  if (bytes == 0 || bytes > kMostPromptLabelBytes) dim.labels.clear();
}

}  // namespace diopter::host
