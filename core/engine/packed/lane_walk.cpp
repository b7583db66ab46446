#include "engine/packed/lane_walk.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "engine/packed/stages.hpp"

namespace diopter::engine {

LaneWalk::LaneWalk(const WalkContext& context, std::vector<Lane>& lanes, ObservedRows* observed)
    : context_(context),
      model_(context.model),
      info_(context.model.info()),
      lanes_(lanes),
      tap_(context.model.hooks(), context.everywhere, lanes, observed),
      positions_(context.batch.longest()),
      stream_at_(lanes.size(), positions_) {
  stream_.value = at::empty({0, info_.d_model}, context.base.at(Point::ResidPost, info_.n_layers - 1).options());
  for (const Lane& lane : lanes_) next_.emplace_back(lane.stream.size(), static_cast<std::uint8_t>(kBase));
  find_heads_apart();
}

Rows LaneWalk::run(Rows own) {
  if (own.size() > 0) stream_ = std::move(own), stream_at_ = index_of(stream_);
  Index first = info_.n_layers;
  for (const Lane& lane : lanes_) first = std::min(first, lane.first_layer);
  for (Index layer = first; layer < info_.n_layers; ++layer) {
    enter(layer);
    const LayerRows rows = classify(layer);
    Rows mid = middle(layer, after_attention(layer, attention(layer, rows)));
    if (info_.attention_only) {
      stream_ = leave(layer, std::move(mid), {});
    } else {
      Rows added = mlp(layer, mid);
      stream_ = leave(layer, std::move(mid), std::move(added));
    }
    stream_at_ = index_of(stream_);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!lanes_[i].begins_after(layer)) lanes_[i].stream = next_[i];
    }
  }
  return std::move(stream_);
}

model::Pass LaneWalk::pass(const std::vector<RowAt>& rows) {
  tap_.rows_are(rows);
  return {.tap = &tap_, .path = context_.kernels};
}

RowIndex LaneWalk::index_of(const Rows& rows) const {
  RowIndex index(lanes_.size(), positions_);
  index.add(rows.at);
  return index;
}

bool LaneWalk::tap_wants(std::span<const Point> points, Index layer) const {
  return std::any_of(points.begin(), points.end(),
                     [&](Point point) { return tap_.wants(model_.hooks().id(point, layer)); });
}

// What a donor serves has no row.
std::vector<RowAt> LaneWalk::edited(std::span<const Point> points, Index layer, const RowIndex& without) const {
  std::vector<RowAt> rows;
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(positions_));
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    bool any = false;
    if (lanes_[i].donor_serves) continue;
    for (const LaneEdit& edit : lanes_[i].edits) {
      if (edit.edit->layer() != layer || !stages::in(points, edit.edit->point())) continue;
      if (!any) std::fill(seen.begin(), seen.end(), std::uint8_t{0});
      any = true;
      for (const Index pos : edit.positions) seen[static_cast<std::size_t>(pos)] = 1;
    }
    for (Index pos = 0; any && pos < lanes_[i].end; ++pos) {
      if (seen[static_cast<std::size_t>(pos)] && !without.has(static_cast<Index>(i), pos))
        rows.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(pos)});
    }
  }
  return rows;
}

Rows LaneWalk::from_base(std::vector<RowAt> rows, Point take, Index layer) const {
  const at::Tensor& whole = context_.base.at(take, layer);
  std::vector<const void*> from;
  for (const RowAt at : rows) from.push_back(context_.base.row(take, layer, lane(at).row, at.pos));
  return {std::move(rows), gathered(from, whole.sizes().slice(2), whole.options())};
}

// `rows`, then those edited at `points` with the base run's value of `take`.
Rows LaneWalk::with_base(Rows rows, std::span<const Point> points, Point take, Index layer) {
  const std::vector<RowAt> more = edited(points, layer, index_of(rows));
  if (!more.empty()) append(rows, from_base(more, take, layer));
  return rows;
}

const void* LaneWalk::stream_of(Index layer, RowAt at) const {
  const std::int32_t own = stream_at_(at.lane, at.pos);
  if (own >= 0) return stream_.row(own);
  const Lane& of = lane(at);
  const std::uint8_t stream = of.stream[static_cast<std::size_t>(at.pos)];
  const KeptRun& from = (stream & kBase) || context_.donor == nullptr ? context_.base : *context_.donor;
  return from.stream(layer, of.row, at.pos);
}

Rows LaneWalk::after_attention(Index layer, Rows z) {
  constexpr Point kOut[] = {Point::AttnOut};
  Rows out{.at = std::move(z.at), .value = at::empty({0, info_.d_model}, stream_.value.options())};
  if (!out.at.empty()) {
    const model::Pass with = pass(out.at);
    const at::Tensor sum = model_.attention_sum(layer, z.value.unsqueeze(0), with);
    out.value = model_.after_attention(layer, sum, with).squeeze(0).contiguous();
    count(out.size(), info_.n_heads * info_.d_head, info_.d_model);
  }
  const HookId id = model_.hooks().id(Point::AttnOut, layer);
  tap_.apply_everywhere(id, out);
  out = with_base(std::move(out), kOut, Point::AttnOut, layer);
  tap_.apply_own(id, out);
  return out;
}

Rows LaneWalk::middle(Index layer, Rows attn_out) {
  constexpr Point kMid[] = {Point::ResidMid};
  Rows mid{.at = std::move(attn_out.at), .value = {}};
  mid.value = attn_out.value + streams(layer, mid.at);
  if (info_.attention_only || info_.parallel_block) return mid;
  const HookId id = model_.hooks().id(Point::ResidMid, layer);
  tap_.apply_everywhere(id, mid);
  mid = with_base(std::move(mid), kMid, Point::ResidMid, layer);
  tap_.apply_own(id, mid);
  return mid;
}

Rows LaneWalk::mlp(Index layer, const Rows& middle) {
  constexpr Point kOut[] = {Point::MlpOut};
  const Index inputs = info_.gated_mlp ? 2 : 1;
  Rows in{.at = {}, .value = {}};
  if (info_.parallel_block) {  // reads what entered the block
    std::vector<const void*> from;
    for (Index i = 0; i < stream_.size(); ++i) {
      const RowAt at = stream_.at[static_cast<std::size_t>(i)];
      if (next_[static_cast<std::size_t>(at.lane)][static_cast<std::size_t>(at.pos)] != kOwn) continue;
      in.at.push_back(at), from.push_back(stream_.row(i));
    }
    in.value = gathered(from, {info_.d_model}, stream_.value.options());
  } else {
    for (Index i = 0; i < middle.size(); ++i) in.at.push_back(middle.at[static_cast<std::size_t>(i)]);
    in.value = middle.value;
  }
  in = with_base(std::move(in), stages::kMlp, info_.parallel_block ? Point::ResidPre : Point::ResidMid, layer);

  Rows out{.at = in.at, .value = at::empty({0, info_.d_model}, stream_.value.options())};
  if (!in.at.empty()) {
    out.value = model_.mlp_out(layer, in.value.unsqueeze(0), pass(in.at)).squeeze(0).contiguous();
    count(out.size(), info_.d_model, (inputs + 1) * info_.d_mlp);
  }
  add_from_neurons(layer, out);
  const HookId id = model_.hooks().id(Point::MlpOut, layer);
  tap_.apply_everywhere(id, out);
  out = with_base(std::move(out), kOut, Point::MlpOut, layer);
  tap_.apply_own(id, out);
  return out;
}

// The sum of both, rows that only one of them has included; the other's value is then the base run's, or the donor's
// where a parallel block read the donor's stream.
Rows LaneWalk::leave(Index layer, Rows middle, Rows mlp) {
  constexpr Point kPost[] = {Point::ResidPost};
  Rows out;
  if (info_.attention_only) {
    out = std::move(middle);
  } else {
    const RowIndex mid_at = index_of(middle), mlp_at = index_of(mlp);
    std::vector<const void*> left, right;
    std::vector<at::Tensor> made;  // keeps what `right` points to
    const auto add = [&](RowAt at) {
      const std::int32_t i = mlp_at(at.lane, at.pos), j = mid_at(at.lane, at.pos);
      const Lane& of = lane(at);
      const bool donor = !(of.stream[static_cast<std::size_t>(at.pos)] & kBase) && context_.donor != nullptr;
      left.push_back(i >= 0 ? mlp.row(i)
                            : (donor ? *context_.donor : context_.base).row(Point::MlpOut, layer, of.row, at.pos));
      if (j >= 0) {
        right.push_back(middle.row(j));
      } else if (!info_.parallel_block) {
        right.push_back(context_.base.row(Point::ResidMid, layer, of.row, at.pos));
      } else {  // attn_out + resid_pre of the base run
        const at::Tensor sum = context_.base.at(Point::AttnOut, layer)[of.row][at.pos] +
                               context_.base.at(Point::ResidPre, layer)[of.row][at.pos];
        made.push_back(sum.contiguous());
        right.push_back(made.back().const_data_ptr());
      }
      out.at.push_back(at);
    };
    for (const RowAt at : middle.at) add(at);
    for (const RowAt at : mlp.at) {
      if (!mid_at.has(at.lane, at.pos)) add(at);
    }
    const at::TensorOptions options = stream_.value.options();
    out.value = gathered(left, {info_.d_model}, options).add_(gathered(right, {info_.d_model}, options));
  }
  const HookId id = model_.hooks().id(Point::ResidPost, layer);
  tap_.apply_everywhere(id, out);
  out = with_base(std::move(out), kPost, Point::ResidPost, layer);
  tap_.apply_own(id, out);

  for (const RowAt at : out.at) next_[static_cast<std::size_t>(at.lane)][static_cast<std::size_t>(at.pos)] = kOwn;
  return out;
}

}  // namespace diopter::engine
