// Changes of the stream before a block.
#include <ATen/ATen.h>

#include <algorithm>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

bool enters(const LaneEdit& edit, Index layer) {
  return std::max<Index>(0, edit.edit->layer()) == layer && stages::is_stream_before(edit.edit->point());
}

}  // namespace

void LaneWalk::enter(Index layer) {
  constexpr Point kResidPre[] = {Point::ResidPre};
  const HookId id = model_.hooks().id(Point::ResidPre, layer);
  if (!edits_stream_before(layer)) {
    tap_.apply_everywhere(id, stream_);
    tap_.apply_own(id, stream_);
    return;
  }
  put_streams_of_donor(layer);
  Rows rows = std::move(stream_);
  if (layer == 0) rows = with_edited_embeddings(std::move(rows));
  tap_.apply_everywhere(id, rows);
  rows = with_base(std::move(rows), kResidPre, Point::ResidPre, layer);
  tap_.apply_own(id, rows);
  for (const RowAt at : rows.at) lane(at).stream[static_cast<std::size_t>(at.pos)] = kOwn;
  stream_ = std::move(rows);
  stream_at_ = index_of(stream_);
}

bool LaneWalk::edits_stream_before(Index layer) const {
  return std::any_of(lanes_.begin(), lanes_.end(), [layer](const Lane& lane) {
    return std::any_of(lane.edits.begin(), lane.edits.end(),
                       [layer](const LaneEdit& edit) { return enters(edit, layer); });
  });
}

// Where a donor serves a lane, its stream is known, not computed.
void LaneWalk::put_streams_of_donor(Index layer) {
  for (Lane& lane : lanes_) {
    if (!lane.donor_serves || !enters(lane.edits.front(), layer)) continue;
    for (const Index pos : lane.edits.front().positions) lane.stream[static_cast<std::size_t>(pos)] = kDonor;
  }
}

// resid_pre = embed + pos_embed, of which one or both are edited.
Rows LaneWalk::with_edited_embeddings(Rows rows) {
  for (const Point point : {Point::Embed, Point::PosEmbed}) {
    const Point other = point == Point::Embed ? Point::PosEmbed : Point::Embed;
    const HookId id = model_.hooks().id(point, 0), other_id = model_.hooks().id(other, 0);
    if (id == kNoHook || !tap_.wants(id)) continue;
    const std::vector<RowAt> which = edited({&point, 1}, -1, RowIndex(lanes_.size(), positions_));
    if (which.empty()) continue;
    Rows value = from_base(which, point, 0);
    tap_.apply_own(id, value);
    if (other_id != kNoHook) {
      Rows beside = from_base(which, other, 0);
      if (point == Point::PosEmbed) tap_.apply_own(other_id, beside);  // the first of the two has both edits here
      value.value = point == Point::Embed ? value.value + beside.value : beside.value + value.value;
    }
    rows = overlaid(rows, value);
  }
  return rows;
}

// `rows` with those of `value` in their places; what only `value` has follows.
Rows LaneWalk::overlaid(const Rows& rows, const Rows& value) const {
  const RowIndex known = index_of(rows), fresh = index_of(value);
  std::vector<const void*> from;
  std::vector<RowAt> at;
  for (Index i = 0; i < rows.size(); ++i) {
    const RowAt row = rows.at[static_cast<std::size_t>(i)];
    const std::int32_t own = fresh(row.lane, row.pos);
    at.push_back(row), from.push_back(own >= 0 ? value.row(own) : rows.row(i));
  }
  for (Index i = 0; i < value.size(); ++i) {
    const RowAt row = value.at[static_cast<std::size_t>(i)];
    if (!known.has(row.lane, row.pos)) at.push_back(row), from.push_back(value.row(i));
  }
  return {std::move(at), gathered(from, {info_.d_model}, rows.value.options())};
}

}  // namespace diopter::engine
