// Which rows of a layer differ from the base run, and which of them are computed.
#include <algorithm>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

std::vector<Index> heads_of(const PackedEdit& edit, const ModelInfo& info) {
  const bool keys = stages::reaches_keys(edit.point());
  if (edit.heads().empty() || !keys) return edit.heads();
  std::vector<Index> heads;  // that read these keys and values
  const Index group = info.n_heads / info.n_kv_heads;
  for (const Index kv_head : edit.heads()) {
    for (Index i = 0; i < group; ++i) heads.push_back(kv_head * group + i);
  }
  return heads;
}

struct Marked {
  std::vector<std::uint8_t> queries, keys;
};

}  // namespace

LayerRows LaneWalk::classify(Index layer) {
  LayerRows rows;
  rows.heads.resize(lanes_.size());
  for (Index i = 0; i < static_cast<Index>(lanes_.size()); ++i) {
    rows.begin.push_back(rows.queries.size());
    if (!lanes_[static_cast<std::size_t>(i)].begins_after(layer)) classify(i, layer, rows);
  }
  rows.begin.push_back(rows.queries.size());
  return rows;
}

void LaneWalk::classify(Index index, Index layer, LayerRows& rows) {
  const Lane& lane = lanes_[static_cast<std::size_t>(index)];
  const Marks &needed = context_.needs.stream(layer + 1, lane.row), &keys = context_.needs.keys(layer, lane.row);
  const Index window = info_.window(layer);
  auto& next = next_[static_cast<std::size_t>(index)];

  Marked edited{std::vector<std::uint8_t>(next.size(), 0), std::vector<std::uint8_t>(next.size(), 0)};
  std::vector<std::uint8_t> read(next.size(), 0), raw(next.size(), 0);
  bool all_heads = false;
  std::vector<Index> heads;
  for (const LaneEdit& edit : lane.edits) {
    const Point point = edit.edit->point();
    const bool by_head = heads_apart(layer) && stages::in(stages::kInputs, point);
    const bool from_stream = !by_head && stages::in(stages::kRead, point);
    if (edit.edit->layer() != layer || !(by_head || from_stream || stages::in(stages::kRaw, point))) continue;
    const std::vector<Index> own = from_stream ? std::vector<Index>{} : heads_of(*edit.edit, info_);
    all_heads = all_heads || own.empty();
    heads.insert(heads.end(), own.begin(), own.end());
    for (const Index pos : edit.positions) {
      const auto at = static_cast<std::size_t>(pos);
      (from_stream ? read : raw)[at] = 1;
      edited.queries[at] |= stages::reaches_queries(point);
      edited.keys[at] |= stages::reaches_keys(point);
    }
  }

  const bool keys_alone = !tap_wants(stages::kRead, layer) && !tap_wants(stages::kRaw, layer);
  Index changed_key = -1, other_than_donor = -1;  // the last position of each kind
  for (Index pos = 0; pos < lane.end; ++pos) {
    const auto at = static_cast<std::size_t>(pos);
    const auto row = RowAt{static_cast<std::int32_t>(index), static_cast<std::int32_t>(pos)};
    const std::uint8_t stream = lane.stream[at];
    const bool from_base = (stream & kBase) != 0;
    all_heads = all_heads || (!from_base && (keys[at] || needed[at]));
    if (keys[at] && (!from_base || edited.keys[at])) changed_key = pos;
    if (keys[at] && !(stream & kDonor)) other_than_donor = pos;
    const Index first = window > 0 ? std::max<Index>(0, pos - window + 1) : 0;
    const bool base = from_base && !edited.queries[at] && changed_key < first;
    const bool donor = (stream & kDonor) && other_than_donor < first;
    next[at] = kBase;
    if (needed[at]) next[at] = static_cast<std::uint8_t>((base ? int{kBase} : 0) | (donor ? int{kDonor} : 0));
    const bool query = needed[at] && next[at] == kOwn;
    if (query) rows.queries.push_back(row);
    const bool has_stream = stream_at_.has(index, pos);
    if (has_stream || read[at]) {
      if (query || read[at] || raw[at]) rows.read.push_back(row);
      else if (keys[at]) (keys_alone ? rows.read_keys : rows.read).push_back(row);
    } else if (raw[at]) {
      rows.raw.push_back(row);
    }
  }
  if (lane.donor_serves && lane.first_layer == layer && stages::is_stream_inside(lane.edits.front().edit->point())) {
    for (const Index pos : lane.edits.front().positions) next[static_cast<std::size_t>(pos)] = kDonor;
  }
  std::sort(heads.begin(), heads.end());
  heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
  if (!all_heads) rows.heads[static_cast<std::size_t>(index)] = std::move(heads);
}

}  // namespace diopter::engine
