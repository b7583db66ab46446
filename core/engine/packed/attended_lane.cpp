#include "engine/packed/attended_lane.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "engine/packed/long_attention.hpp"

namespace diopter::engine {
namespace {

constexpr Index kManyKeys = 96;  // from here on products of blocks are faster than single rows

void to_float(const void* from, at::ScalarType dtype, Index size, float* to) {
  if (dtype == at::kFloat) std::copy_n(static_cast<const float*>(from), size, to);
  else if (dtype == at::kBFloat16) std::copy_n(static_cast<const at::BFloat16*>(from), size, to);
  else std::copy_n(static_cast<const at::Half*>(from), size, to);
}

}  // namespace

LaneWalk::AttendedLane::AttendedLane(LaneWalk& walk, Index layer, Index index, const LayerRows& rows,
                                     Attended& attended)
    : walk_(walk),
      context_(walk.context_),
      info_(walk.info_),
      a_(attended),
      layer_(layer),
      index_(index),
      lane_(walk.lanes_[static_cast<std::size_t>(index)]),
      queries_(rows.of_lane(index)),
      heads_(rows.heads[static_cast<std::size_t>(index)]),
      scores_id_(walk.model_.hooks().id(Point::AttnScores, layer)),
      pattern_id_(walk.model_.hooks().id(Point::Pattern, layer)),
      scores_edit_(lane_.edit_at(scores_id_)),
      pattern_edit_(lane_.edit_at(pattern_id_)),
      shown_(walk.tap_.wants(scores_id_) || walk.tap_.wants(pattern_id_)),
      rule_(walk.model_.score_rule(layer)),
      window_(info_.window(layer)),
      length_(context_.batch.lengths[static_cast<std::size_t>(lane_.row)]) {}

void LaneWalk::AttendedLane::run() {
  if (queries_.empty() && scores_edit_ == nullptr && pattern_edit_ == nullptr) return;
  find_keys();
  if (!shown_ && lane_.end >= kManyKeys) return attend_in_blocks();
  weights_.resize(static_cast<std::size_t>(context_.batch.longest()));
  for (const RowAt at : queries_) attend_row(at.pos, true);
  attend_edited_rows();
}

const KeptRun& LaneWalk::AttendedLane::known(Index pos) const {
  if (pos >= lane_.end) return context_.base;
  const std::uint8_t stream = lane_.stream[static_cast<std::size_t>(pos)];
  return !(stream & kBase) && (stream & kDonor) ? *context_.donor : context_.base;
}

void LaneWalk::AttendedLane::find_keys() {
  const Index reach = shown_ ? length_ : lane_.end;  // a pattern from outside may look anywhere
  const Index size = info_.n_kv_heads * info_.d_head;
  k_.reserve(static_cast<std::size_t>(reach)), v_.reserve(static_cast<std::size_t>(reach));
  for (Index pos = 0; pos < reach; ++pos) {
    const std::int32_t own = pos < lane_.end ? a_.kv_at(index_, pos) : -1;
    k_.push_back(own >= 0 ? a_.k.const_data_ptr<float>() + own * size : known(pos).k(layer_, lane_.row, pos));
    v_.push_back(own >= 0 ? a_.v.const_data_ptr<float>() + own * size : known(pos).v(layer_, lane_.row, pos));
  }
}

const float* LaneWalk::AttendedLane::query(Index pos) const {
  const std::int32_t own = a_.q_at(index_, pos);
  if (own >= 0) return a_.q.const_data_ptr<float>() + own * info_.n_heads * info_.d_head;
  return known(pos).q(layer_, lane_.row, pos);
}

bool LaneWalk::AttendedLane::is_query(Index pos) const {
  return std::any_of(queries_.begin(), queries_.end(), [pos](RowAt at) { return at.pos == pos; });
}

bool LaneWalk::AttendedLane::differs(Index head) const {
  return heads_.empty() || std::find(heads_.begin(), heads_.end(), head) != heads_.end();
}

bool LaneWalk::AttendedLane::is_edited(Index head) const {
  return (scores_edit_ != nullptr && scores_edit_->edit->has_head(head)) ||
         (pattern_edit_ != nullptr && pattern_edit_->edit->has_head(head));
}

void LaneWalk::AttendedLane::attend_in_blocks() {
  LongAttention many{.q = {}, .position = {}, .k = k_, .v = v_, .window = window_, .heads = heads_, .z = {}};
  for (const RowAt at : queries_) {
    const Index z_row = a_.z_at(index_, at.pos);
    many.q.push_back(query(at.pos));
    many.position.push_back(at.pos);
    many.z.push_back(z_of(z_row));
    for (Index head = 0; head < info_.n_heads; ++head) from_base(z_row, head) = !differs(head);
  }
  walk_.operations_ += attend_long(many, rule_, info_);
}

// Without a query of its own: what is edited of the base run's scores and pattern.
void LaneWalk::AttendedLane::attend_row(Index pos, bool queried) {
  const Index z_row = a_.z_at(index_, pos);
  const float* q = queried ? query(pos) : nullptr;
  for (Index head = 0; head < info_.n_heads; ++head) {
    const bool computed = queried && differs(head);
    const Index offset = head * info_.d_head;
    if (!computed && !is_edited(head)) from_base(z_row, head) = 1;
    else if (shown_) attend_shown_head(pos, head, computed ? q + offset : nullptr, z_of(z_row) + offset);
    else attend_head(pos, head, q + offset, z_of(z_row) + offset);
  }
}

void LaneWalk::AttendedLane::attend_head(Index pos, Index head, const float* q, float* z) {
  const Index first = first_seen(pos), seen = pos + 1 - first, e = info_.d_head;
  score_keys(q, of_head(k_, head, first, seen), e, rule_, weights_.data());
  softmax_row(weights_.data(), seen);
  sum_values(weights_.data(), of_head(v_, head, first, seen), e, z);
  walk_.operations_ += 2 * product_operations(1, e, seen);
}

// With edits and observers between the steps. `q` is null where the scores or the pattern are the base run's.
void LaneWalk::AttendedLane::attend_shown_head(Index pos, Index head, const float* q, float* z) {
  const Index first = first_seen(pos), seen = pos + 1 - first, e = info_.d_head;
  float* weights = weights_.data();
  const bool scored = q != nullptr || scores_edit_ != nullptr;
  if (q != nullptr) {
    std::fill(weights_.begin(), weights_.end(), -std::numeric_limits<float>::infinity());
    score_keys(q, of_head(k_, head, first, seen), e, rule_, weights + first);
    walk_.operations_ += product_operations(1, e, seen);
  } else {
    take_from_base(scored ? Point::AttnScores : Point::Pattern, pos, head);
  }
  if (scored) {
    walk_.tap_.apply_pairs(scores_id_, index_, pos, head, weights, length_, q != nullptr);
    softmax_row(weights, length_);
  }
  walk_.tap_.apply_pairs(pattern_id_, index_, pos, head, weights, length_, scored);
  sum_values(weights, of_head(v_, head, 0, length_), e, z);
  walk_.operations_ += product_operations(1, e, seen);
}

void LaneWalk::AttendedLane::take_from_base(Point point, Index pos, Index head) {
  const at::Tensor& whole = context_.base.at(point, layer_);  // [batch, head, dest, src]
  const Index at = lane_.row * whole.stride(0) + head * whole.stride(1) + pos * whole.stride(2);
  to_float(static_cast<const char*>(whole.const_data_ptr()) + at * static_cast<Index>(whole.itemsize()),
           whole.scalar_type(), length_, weights_.data());
}

void LaneWalk::AttendedLane::attend_edited_rows() {
  for (const LaneEdit* edit : {scores_edit_, pattern_edit_}) {
    const bool done = edit == pattern_edit_ && scores_edit_ != nullptr && edit != nullptr &&
                      edit->positions == scores_edit_->positions;
    if (edit == nullptr || done) continue;
    for (const Index pos : edit->positions) {
      if (!is_query(pos)) attend_row(pos, false);
    }
  }
}

}  // namespace diopter::engine
