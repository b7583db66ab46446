// Attention of packed queries: each lane's own keys and values where they differ, the base run's elsewhere.
#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/long_attention.hpp"
#include "engine/packed/row_kernel.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

// [n, ...] of a piece of the forward, which has [1, n, ...]; float, for the kernels.
at::Tensor as_rows(const at::Tensor& value) { return value.squeeze(0).to(at::kFloat).contiguous(); }

constexpr Index kManyKeys = 96;  // from here on products of blocks are faster than single rows

at::Tensor positions_of_rows(const std::vector<RowAt>& rows) {
  at::Tensor positions = at::empty({1, static_cast<Index>(rows.size())}, at::kLong);
  auto* to = positions.mutable_data_ptr<Index>();
  for (const RowAt at : rows) *to++ = at.pos;
  return positions;
}

void to_float(const void* from, at::ScalarType dtype, Index size, float* to) {
  if (dtype == at::kFloat) std::copy_n(static_cast<const float*>(from), size, to);
  else if (dtype == at::kBFloat16) std::copy_n(static_cast<const at::BFloat16*>(from), size, to);
  else std::copy_n(static_cast<const at::Half*>(from), size, to);
}

}  // namespace

// What the lanes of one layer attend with, and where their z go.
struct LaneWalk::Attended {
  RowIndex q_at, kv_at;
  at::Tensor q, k, v;     // float [row, head, e]
  std::vector<RowAt> at;  // rows of z
  at::Tensor z;           // float [row, head, e]
  RowIndex z_at;
  std::vector<std::uint8_t> from_base;  // [row * head] 1: this head's z is the base run's
};

Rows LaneWalk::attention(Index layer, const LayerRows& rows) {
  const Index heads = info_.n_heads, kv_heads = info_.n_kv_heads, e = info_.d_head, width = info_.d_model;
  const at::TensorOptions plain = at::TensorOptions().dtype(at::kFloat);
  // ---- q, k, v of the rows that have their own
  std::vector<RowAt> both = rows.read;  // rows with q, k and v
  const auto stream_rows = [&](const std::vector<RowAt>& which) {
    std::vector<const void*> from;
    for (const RowAt at : which) from.push_back(stream_of(layer, at));
    return gathered(from, {width}, stream_.value.options()).unsqueeze(0);
  };
  std::vector<at::Tensor> q, k, v;
  if (!rows.read.empty()) {
    const model::Qkv own = model_.read(layer, stream_rows(rows.read), pass(rows.read));
    count(static_cast<Index>(rows.read.size()), width, (heads + 2 * kv_heads) * e);
    q.push_back(own.q), k.push_back(own.k), v.push_back(own.v);
  }
  if (!rows.raw.empty()) {
    for (const Point point : {Point::Q, Point::K, Point::V}) {
      Rows base = from_base(rows.raw, point, layer);
      tap_.apply_own(model_.hooks().id(point, layer), base);
      (point == Point::Q ? q : point == Point::K ? k : v).push_back(base.value.unsqueeze(0));
    }
    both.insert(both.end(), rows.raw.begin(), rows.raw.end());
  }
  Attended a{.q_at = RowIndex(lanes_.size(), positions_),
             .kv_at = RowIndex(lanes_.size(), positions_),
             .q = at::empty({0, heads, e}, plain),
             .k = at::empty({0, kv_heads, e}, plain),
             .v = at::empty({0, kv_heads, e}, plain),
             .at = rows.queries,
             .z = {},
             .z_at = RowIndex(lanes_.size(), positions_),
             .from_base = {}};
  if (!both.empty()) {
    model::Qkv raw{.q = at::cat(q, 1), .k = at::cat(k, 1), .v = at::cat(v, 1)};
    if (heads_apart(layer)) read_edited_inputs(layer, both, raw);
    const model::Qkv placed = model_.place(layer, std::move(raw), positions_of_rows(both), pass(both));
    a.q = as_rows(placed.q), a.k = as_rows(placed.k), a.v = as_rows(placed.v);
    a.q_at.add(both);
    a.kv_at.add(both);
  }
  if (!rows.read_keys.empty()) {
    const model::Qkv placed = model_.place(layer, model_.read_keys_values(layer, stream_rows(rows.read_keys)),
                                           positions_of_rows(rows.read_keys));
    count(static_cast<Index>(rows.read_keys.size()), width, 2 * kv_heads * e);
    a.kv_at.add(rows.read_keys, a.k.size(0));
    a.k = at::cat({a.k, as_rows(placed.k)}), a.v = at::cat({a.v, as_rows(placed.v)});
  }

  // ---- z: of the queries, then of rows whose scores or pattern are edited
  a.z_at.add(a.at);
  const std::vector<RowAt> pairs = edited(stages::kPairs, layer, a.z_at);
  a.z_at.add(pairs, static_cast<Index>(a.at.size()));
  a.at.insert(a.at.end(), pairs.begin(), pairs.end());
  a.z = at::empty({static_cast<Index>(a.at.size()), heads, e}, plain);
  a.from_base.assign(a.at.size() * static_cast<std::size_t>(heads), 0);
  for (Index i = 0; i < static_cast<Index>(lanes_.size()); ++i) attend_lane(layer, i, rows, a);

  Rows z{.at = std::move(a.at), .value = a.z.to(stream_.value.scalar_type())};
  const HookId z_id = model_.hooks().id(Point::Z, layer);
  tap_.apply_everywhere(z_id, z);
  // What the base run's heads hold was edited there.
  const auto part = static_cast<std::size_t>(e * z.value.itemsize());
  for (std::size_t i = 0; i < a.from_base.size(); ++i) {
    if (!a.from_base[i]) continue;
    const RowAt at = z.at[i / static_cast<std::size_t>(heads)];
    const std::size_t offset = i % static_cast<std::size_t>(heads) * part;
    std::memcpy(static_cast<char*>(z.row(static_cast<Index>(i) / heads)) + offset,
                static_cast<const char*>(context_.base.row(Point::Z, layer, lane(at).row, at.pos)) + offset, part);
  }
  const std::vector<RowAt> more = edited(stages::kHeads, layer, a.z_at);
  if (!more.empty()) append(z, from_base(more, Point::Z, layer));
  tap_.apply_own(z_id, z);
  return z;
}

void LaneWalk::attend_lane(Index layer, Index index, const LayerRows& rows, Attended& a) {
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  if (lane.begins_after(layer)) return;
  const auto first = rows.begin[static_cast<std::size_t>(index)],
             last = rows.begin[static_cast<std::size_t>(index) + 1];
  const LaneEdit *scores_edit = lane.edit_at(model_.hooks().id(Point::AttnScores, layer)),
                 *pattern_edit = lane.edit_at(model_.hooks().id(Point::Pattern, layer));
  const HookId scores_id = model_.hooks().id(Point::AttnScores, layer),
               pattern_id = model_.hooks().id(Point::Pattern, layer);
  if (first == last && scores_edit == nullptr && pattern_edit == nullptr) return;
  const bool shown = tap_.wants(scores_id) || tap_.wants(pattern_id);

  const Index heads = info_.n_heads, group = heads / info_.n_kv_heads, e = info_.d_head;
  const Index length = context_.batch.lengths[static_cast<std::size_t>(lane.row)];
  const Index reach = shown ? length : lane.end;  // a pattern from outside may look anywhere
  std::vector<const float*> k(static_cast<std::size_t>(reach)), v(k);
  const Index own_row = info_.n_kv_heads * e;
  for (Index pos = 0; pos < reach; ++pos) {
    const auto at = static_cast<std::size_t>(pos);
    const std::int32_t own = pos < lane.end ? a.kv_at(index, pos) : -1;
    const bool donor = pos < lane.end && !(lane.stream[at] & kBase) && (lane.stream[at] & kDonor);
    if (own >= 0) {
      k[at] = a.k.const_data_ptr<float>() + own * own_row;
      v[at] = a.v.const_data_ptr<float>() + own * own_row;
    } else {
      const KeptRun& from = donor ? *context_.donor : context_.base;
      k[at] = from.k(layer, lane.row, pos);
      v[at] = from.v(layer, lane.row, pos);
    }
  }
  const model::ScoreRule rule = model_.score_rule(layer);
  const Index window = info_.window(layer);
  const float minus_infinity = -std::numeric_limits<float>::infinity();
  std::vector<float> weights(static_cast<std::size_t>(context_.batch.longest()));
  const auto& some_heads = rows.heads[static_cast<std::size_t>(index)];

  const auto query_of = [&](Index pos) {
    const std::int32_t own = a.q_at(index, pos);
    if (own >= 0) return a.q.const_data_ptr<float>() + own * heads * e;
    const std::uint8_t stream = lane.stream[static_cast<std::size_t>(pos)];
    return (!(stream & kBase) && (stream & kDonor) ? *context_.donor : context_.base).q(layer, lane.row, pos);
  };
  if (!shown && lane.end >= kManyKeys) {
    LongAttention many{.q = {}, .position = {}, .k = k, .v = v, .window = window, .heads = some_heads, .z = {}};
    for (std::size_t i = first; i < last; ++i) {
      const Index pos = rows.queries[i].pos, z_row = a.z_at(index, pos);
      many.q.push_back(query_of(pos));
      many.position.push_back(pos);
      many.z.push_back(a.z.mutable_data_ptr<float>() + z_row * heads * e);
      for (Index head = 0; !some_heads.empty() && head < heads; ++head) {
        a.from_base[static_cast<std::size_t>(z_row * heads + head)] =
            std::find(some_heads.begin(), some_heads.end(), head) == some_heads.end();
      }
    }
    operations_ += attend_long(many, rule, info_);
    return;
  }
  const auto row_of = [&](Index pos, bool queried) {
    const Index z_row = a.z_at(index, pos);
    float* z = a.z.mutable_data_ptr<float>() + z_row * heads * e;
    const Index from = window > 0 ? std::max<Index>(0, pos - window + 1) : 0, seen = pos + 1 - from;
    const float* q = queried ? query_of(pos) : nullptr;
    for (Index head = 0; head < heads; ++head) {
      const bool edited_here =
          (scores_edit && scores_edit->edit->has_head(head)) || (pattern_edit && pattern_edit->edit->has_head(head));
      const bool computed =
          queried && (some_heads.empty() || std::find(some_heads.begin(), some_heads.end(), head) != some_heads.end());
      if (!computed && !edited_here) {
        a.from_base[static_cast<std::size_t>(z_row * heads + head)] = 1;
        continue;
      }
      const Index offset = head / group * e;
      if (!shown) {
        score_keys(q + head * e, {k.data() + from, offset, seen}, e, rule, weights.data());
        softmax_row(weights.data(), seen);
        sum_values(weights.data(), {v.data() + from, offset, seen}, e, z + head * e);
        operations_ += 4.0 * static_cast<double>(seen * e);
        continue;
      }
      const auto base_row = [&](Point point) {
        const at::Tensor& whole = context_.base.at(point, layer);
        const Index at = lane.row * whole.stride(0) + head * whole.stride(1) + pos * whole.stride(2);
        to_float(static_cast<const char*>(whole.const_data_ptr()) + at * static_cast<Index>(whole.itemsize()),
                 whole.scalar_type(), length, weights.data());
      };
      bool scored = true;
      if (computed) {
        std::fill(weights.begin(), weights.end(), minus_infinity);
        score_keys(q + head * e, {k.data() + from, offset, seen}, e, rule, weights.data() + from);
        operations_ += 2.0 * static_cast<double>(seen * e);
      } else if (scores_edit != nullptr) {
        base_row(Point::AttnScores);
      } else {
        base_row(Point::Pattern);
        scored = false;
      }
      if (scored) {
        tap_.apply_pairs(scores_id, index, pos, head, weights.data(), length, computed);
        softmax_row(weights.data(), length);
      }
      tap_.apply_pairs(pattern_id, index, pos, head, weights.data(), length, scored);
      sum_values(weights.data(), {v.data(), offset, length}, e, z + head * e);
      operations_ += 2.0 * static_cast<double>(seen * e);
    }
  };
  for (std::size_t i = first; i < last; ++i) row_of(rows.queries[i].pos, true);
  for (const LaneEdit* edit : {scores_edit, pattern_edit}) {
    if (edit == nullptr ||
        (edit == pattern_edit && scores_edit != nullptr && edit->positions == scores_edit->positions))
      continue;
    for (const Index pos : edit->positions) {
      const bool query = std::any_of(rows.queries.begin() + static_cast<std::ptrdiff_t>(first),
                                     rows.queries.begin() + static_cast<std::ptrdiff_t>(last),
                                     [pos](RowAt at) { return at.pos == pos; });
      if (!query) row_of(pos, false);
    }
  }
}

}  // namespace diopter::engine
