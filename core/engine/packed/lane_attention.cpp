// Attention of packed queries: each lane's own keys and values where they differ, the base run's elsewhere.
#include <ATen/ATen.h>

#include "engine/packed/attended.hpp"
#include "engine/packed/attended_lane.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

// [n, ...] of a piece of the forward, which has [1, n, ...]; float, for the kernels.
at::Tensor as_rows(const at::Tensor& value) { return value.squeeze(0).to(at::kFloat).contiguous(); }

at::Tensor positions_of_rows(const std::vector<RowAt>& rows) {
  at::Tensor positions = at::empty({1, static_cast<Index>(rows.size())}, at::kLong);
  auto* to = positions.mutable_data_ptr<Index>();
  for (const RowAt at : rows) *to++ = at.pos;
  return positions;
}

}  // namespace

Rows LaneWalk::attention(Index layer, const LayerRows& rows) {
  Attended a = projected(layer, rows);
  a.at = rows.queries;
  a.z_at.add(a.at);
  const std::vector<RowAt> pairs = edited(stages::kPairs, layer, a.z_at);
  a.z_at.add(pairs, static_cast<Index>(a.at.size()));
  a.at.insert(a.at.end(), pairs.begin(), pairs.end());
  const auto count = static_cast<Index>(a.at.size());
  a.z = at::empty({count, info_.n_heads, info_.d_head}, at::TensorOptions(at::kFloat));
  a.from_base.assign(static_cast<std::size_t>(count * info_.n_heads), 0);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!lanes_[i].begins_after(layer)) AttendedLane(*this, layer, static_cast<Index>(i), rows, a).run();
  }

  Rows z{.at = std::move(a.at), .value = a.z.to(stream_.value.scalar_type())};
  const HookId id = model_.hooks().id(Point::Z, layer);
  tap_.apply_everywhere(id, z);
  put_heads_of_base(layer, a.from_base, z);
  const std::vector<RowAt> more = edited(stages::kHeads, layer, a.z_at);
  if (!more.empty()) append(z, from_base(more, Point::Z, layer));
  tap_.apply_own(id, z);
  return z;
}

// q, k, v of the rows that have their own, as attention reads them.
LaneWalk::Attended LaneWalk::projected(Index layer, const LayerRows& rows) {
  const Index heads = info_.n_heads, kv_heads = info_.n_kv_heads, e = info_.d_head;
  const at::TensorOptions plain = at::TensorOptions().dtype(at::kFloat);
  const RowIndex none(lanes_.size(), positions_);
  Attended a{.q_at = none,
             .kv_at = none,
             .q = at::empty({0, heads, e}, plain),
             .k = at::empty({0, kv_heads, e}, plain),
             .v = at::empty({0, kv_heads, e}, plain),
             .z_at = none};
  std::vector<RowAt> both = rows.read;
  both.insert(both.end(), rows.raw.begin(), rows.raw.end());
  if (!both.empty()) {
    model::Qkv raw = raw_rows(layer, rows);
    if (heads_apart(layer)) read_edited_inputs(layer, both, raw);
    const model::Qkv placed = model_.place(layer, std::move(raw), positions_of_rows(both), pass(both));
    a.q = as_rows(placed.q), a.k = as_rows(placed.k), a.v = as_rows(placed.v);
    a.q_at.add(both);
    a.kv_at.add(both);
  }
  if (!rows.read_keys.empty()) {
    const model::Qkv placed =
        model_.place(layer, model_.read_keys_values(layer, streams(layer, rows.read_keys).unsqueeze(0)),
                     positions_of_rows(rows.read_keys));
    count(static_cast<Index>(rows.read_keys.size()), info_.d_model, 2 * kv_heads * e);
    a.kv_at.add(rows.read_keys, a.k.size(0));
    a.k = at::cat({a.k, as_rows(placed.k)}), a.v = at::cat({a.v, as_rows(placed.v)});
  }
  return a;
}

// Before norm and rotation: of rows that read a stream, then of those that change the base run's. [1, row, head, e]
model::Qkv LaneWalk::raw_rows(Index layer, const LayerRows& rows) {
  std::vector<at::Tensor> q, k, v;
  if (!rows.read.empty()) {
    const model::Qkv own = model_.read(layer, streams(layer, rows.read).unsqueeze(0), pass(rows.read));
    count(static_cast<Index>(rows.read.size()), info_.d_model, (info_.n_heads + 2 * info_.n_kv_heads) * info_.d_head);
    q.push_back(own.q), k.push_back(own.k), v.push_back(own.v);
  }
  for (const Point point : {Point::Q, Point::K, Point::V}) {
    if (rows.raw.empty()) break;
    Rows base = from_base(rows.raw, point, layer);
    tap_.apply_own(model_.hooks().id(point, layer), base);
    (point == Point::Q ? q : point == Point::K ? k : v).push_back(base.value.unsqueeze(0));
  }
  return {.q = at::cat(q, 1), .k = at::cat(k, 1), .v = at::cat(v, 1)};
}

// What enters the layer, [row, d_model].
at::Tensor LaneWalk::streams(Index layer, const std::vector<RowAt>& rows) const {
  std::vector<const void*> from;
  for (const RowAt at : rows) from.push_back(stream_of(layer, at));
  return gathered(from, {info_.d_model}, stream_.value.options());
}

// from_base: [row * head]. What those heads hold was edited in the base run.
void LaneWalk::put_heads_of_base(Index layer, const std::vector<std::uint8_t>& from_base, Rows& z) const {
  const auto heads = static_cast<std::size_t>(info_.n_heads);
  const auto part = static_cast<std::size_t>(info_.d_head * z.value.itemsize());
  for (std::size_t i = 0; i < from_base.size(); ++i) {
    if (!from_base[i]) continue;
    const RowAt at = z.at[i / heads];
    const std::size_t offset = i % heads * part;
    std::memcpy(static_cast<char*>(z.row(static_cast<Index>(i / heads))) + offset,
                static_cast<const char*>(context_.base.row(Point::Z, layer, lane(at).row, at.pos)) + offset, part);
  }
}

}  // namespace diopter::engine
