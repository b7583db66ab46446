// Edited inputs of q, k and v: the heads that read them are projected from them alone, all others stay.
#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/stages.hpp"
#include "model/read_stream.hpp"

namespace diopter::engine {
namespace {

bool reads_edited(const LaneEdit* edit, Index pos, Index head) {
  return edit != nullptr && edit->edit->has_head(head) && edit->acts_at(pos);
}

}  // namespace

// Only where inputs are not seen by others than the lanes that edit them, and what they are projected to by nobody.
void LaneWalk::find_heads_apart() {
  constexpr Point kAfter[] = {Point::Ln1Scale, Point::Ln1Normalized, Point::Q, Point::K, Point::V};
  for (Index layer = 0; layer < info_.n_layers; ++layer) {
    std::vector<HookId> inputs;
    for (const Point point : stages::kInputs) {
      if (const HookId id = model_.hooks().id(point, layer); id != kNoHook) inputs.push_back(id);
    }
    const bool apart = tap_wants(stages::kInputs, layer) && !tap_wants(kAfter, layer) &&
                       std::none_of(inputs.begin(), inputs.end(), [&](HookId id) { return tap_.wants_of_all(id); });
    heads_apart_.push_back(apart);
    for (const HookId id : inputs) {
      if (apart) tap_.leave(id);
    }
  }
}

// raw: q, k, v of the rows [1, row, head, d_head] as if no input was edited.
void LaneWalk::read_edited_inputs(Index layer, const std::vector<RowAt>& rows, model::Qkv& raw) {
  read_edited_input(layer, Point::QInput, rows, raw.q);
  read_edited_input(layer, Point::KInput, rows, raw.k);
  read_edited_input(layer, Point::VInput, rows, raw.v);
}

void LaneWalk::read_edited_input(Index layer, Point branch, const std::vector<RowAt>& rows, at::Tensor& projected) {
  const HookId shared_id = model_.hooks().id(Point::AttnIn, layer), own_id = model_.hooks().id(branch, layer);
  const Index heads = projected.size(2), e = info_.d_head;
  std::vector<std::vector<Index>> read(static_cast<std::size_t>(heads));  // [head]: which rows
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const LaneEdit *shared = lane(rows[i]).edit_at(shared_id), *own = lane(rows[i]).edit_at(own_id);
    for (Index head = 0; (shared != nullptr || own != nullptr) && head < heads; ++head) {
      if (reads_edited(shared, rows[i].pos, head) || reads_edited(own, rows[i].pos, head))
        read[static_cast<std::size_t>(head)].push_back(static_cast<Index>(i));
    }
  }
  std::optional<model::HeadProjection> project;
  for (Index head = 0; head < heads; ++head) {
    const std::vector<Index>& which = read[static_cast<std::size_t>(head)];
    if (which.empty()) continue;
    Rows input;
    for (const Index i : which) input.at.push_back(rows[static_cast<std::size_t>(i)]);
    input.value = streams(layer, input.at);
    for (Index i = 0; i < input.size(); ++i) {
      const RowAt at = input.at[static_cast<std::size_t>(i)];
      for (const HookId id : {shared_id, own_id}) {
        const LaneEdit* edit = lane(at).edit_at(id);
        if (reads_edited(edit, at.pos, head) && edit->edit->apply_head(input.row(i), lane(at).row, at.pos, head))
          lane(at).changed = true;
      }
    }
    if (!project) project.emplace(model_.parameters(), layer, branch);
    projected[0].select(1, head).index_copy_(0, at::tensor(which, at::kLong), (*project)(head, input.value));
    count(input.size(), info_.d_model, e);
  }
}

}  // namespace diopter::engine
