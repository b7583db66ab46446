// An MLP whose input is the base run's and whose neurons are edited: from there on.
#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

constexpr std::size_t kFewNeurons = 16;  // of which the rows of W_out are added one by one

bool edits_neurons(const LaneEdit* edit, Index pos) { return edit != nullptr && edit->acts_at(pos); }

}  // namespace

// Rows edited at the neurons or behind their sum: of a few neurons their own rows of W_out, of many the whole product.
void LaneWalk::add_from_neurons(Index layer, Rows& mlp_out) {
  std::vector<RowAt> rows = edited(stages::kNeurons, layer, index_of(mlp_out));
  if (const std::vector<RowAt> few = take_few(rows, layer); !few.empty()) append(mlp_out, by_neurons(few, layer));
  if (rows.empty()) return;
  const Rows post = neurons(rows, layer);
  const at::Tensor added = model_.mlp_from_neurons(layer, post.value.unsqueeze(0), pass(rows)).squeeze(0);
  count(post.size(), info_.d_mlp, info_.d_model);
  append(mlp_out, {std::move(rows), added});
}

// The base run's with each lane's edits; what stands before the activation passes it again where it is edited.
Rows LaneWalk::neurons(const std::vector<RowAt>& rows, Index layer) {
  const HookId pre_id = model_.hooks().id(Point::MlpPre, layer), post_id = model_.hooks().id(Point::MlpPost, layer),
               linear_id = model_.hooks().id(Point::MlpPreLinear, layer);
  Rows post = from_base(rows, Point::MlpPost, layer);
  std::vector<RowAt> before;
  std::vector<Index> where;  // in `post`
  for (Index i = 0; i < post.size(); ++i) {
    const RowAt at = rows[static_cast<std::size_t>(i)];
    if (!edits_neurons(lane(at).edit_at(pre_id), at.pos) && !edits_neurons(lane(at).edit_at(linear_id), at.pos))
      continue;
    before.push_back(at), where.push_back(i);
  }
  if (!before.empty()) {
    Rows pre = from_base(before, Point::MlpPre, layer), linear;
    tap_.apply_own(pre_id, pre);
    if (info_.gated_mlp) {
      linear = from_base(before, Point::MlpPreLinear, layer);
      tap_.apply_own(linear_id, linear);
    }
    Rows again{.at = before, .value = model_.neurons(pre.value, linear.value).contiguous()};
    tap_.apply_everywhere(post_id, again);
    const auto bytes = static_cast<std::size_t>(info_.d_mlp * again.value.itemsize());
    for (std::size_t i = 0; i < where.size(); ++i)
      std::memcpy(post.row(where[i]), again.row(static_cast<Index>(i)), bytes);
  }
  tap_.apply_own(post_id, post);
  return post;
}

// The neurons that a lane changes, where their change can be added to the base run's output; else none.
std::vector<Index> LaneWalk::few_neurons(const Lane& lane, Index layer) const {
  std::vector<Index> all;
  for (const Point point : {Point::MlpPre, Point::MlpPreLinear, Point::MlpPost}) {
    const LaneEdit* edit = lane.edit_at(model_.hooks().id(point, layer));
    if (edit == nullptr) continue;
    const std::vector<Index>& own = edit->edit->neurons();
    const bool spreads = point == Point::MlpPre && info_.activation == Activation::Solu;  // to all neurons
    if (own.empty() || spreads) return {};
    all.insert(all.end(), own.begin(), own.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all.size() <= kFewNeurons ? all : std::vector<Index>{};
}

// Takes those rows out in which few neurons change. An edit of all lanes acts on the whole output, which the base run
// holds as edited already.
std::vector<RowAt> LaneWalk::take_few(std::vector<RowAt>& rows, Index layer) const {
  const HookId out = model_.hooks().id(Point::MlpOut, layer);
  const bool output_edited = std::any_of(context_.everywhere.begin(), context_.everywhere.end(),
                                         [out](const PackedEdit& edit) { return edit.id() == out; });
  const at::Tensor& weight = model_.parameters().get(model::Part::MlpOutWeight, layer);
  const bool addable = !info_.post_norms && !output_edited && weight.scalar_type() == at::kFloat &&
                       stream_.value.scalar_type() == at::kFloat;
  std::vector<RowAt> few, rest;
  for (const RowAt at : rows) (addable && !few_neurons(lane(at), layer).empty() ? few : rest).push_back(at);
  rows = std::move(rest);
  return few;
}

// mlp_out = the base run's + sum over changed neurons n of (post'[n] - post[n]) W_out[n].
Rows LaneWalk::by_neurons(const std::vector<RowAt>& rows, Index layer) {
  const Rows post = neurons(rows, layer);
  Rows out = from_base(rows, Point::MlpOut, layer);
  const at::Tensor& weight = model_.parameters().get(model::Part::MlpOutWeight, layer);  // [F, D]
  for (Index i = 0; i < out.size(); ++i) {
    const RowAt at = rows[static_cast<std::size_t>(i)];
    const auto* before = static_cast<const float*>(context_.base.row(Point::MlpPost, layer, lane(at).row, at.pos));
    const auto* after = static_cast<const float*>(post.row(i));
    auto* sum = static_cast<float*>(out.row(i));
    for (const Index neuron : few_neurons(lane(at), layer)) {
      const float change = after[neuron] - before[neuron];
      const float* row = weight.const_data_ptr<float>() + neuron * weight.stride(0);
      for (Index d = 0; d < info_.d_model; ++d) sum[d] += change * row[d * weight.stride(1)];
      count(1, 1, info_.d_model);
    }
  }
  return out;
}

}  // namespace diopter::engine
