// Interventions done by hand, without the engine: one row at a time, unpadded, slices copied one by one.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include <diopter/prompts.hpp>

#include "model/transformer.hpp"

namespace diopter::engine::testing {

// Keeps every value and edits some.
class HandTap final : public model::Tap {
 public:
  explicit HandTap(const HookTable& hooks) { wanted_.assign(static_cast<std::size_t>(hooks.size()), 1); }
  at::Tensor at(HookId id, at::Tensor value) override {
    if (const auto edit = edits.find(id); edit != edits.end()) value = edit->second(value);
    values[id] = value.clone();
    return value;
  }
  std::map<HookId, std::function<at::Tensor(const at::Tensor&)>> edits;
  std::map<HookId, at::Tensor> values;
};

inline at::Tensor row_ids(const Prompts& rows, Index row) {
  const at::Tensor ids = rows.inputs().select(0, row);
  return ids.masked_select(ids >= 0).unsqueeze(0);
}

struct HandRun {
  at::Tensor logits;                    // [pos, d_vocab]
  std::map<HookId, at::Tensor> values;  // [1, ...]
};

inline HandRun run_by_hand(const model::Transformer& model, const at::Tensor& ids,
                           std::map<HookId, std::function<at::Tensor(const at::Tensor&)>> edits = {}) {
  HandTap tap(model.hooks());
  tap.edits = std::move(edits);
  at::Tensor logits = model.forward(ids, {.tap = &tap});
  return {logits.squeeze(0), std::move(tap.values)};
}

// One cell of a sweep: -1 where an axis is not walked.
struct Cell {
  Index pos = -1, head = -1, neuron = -1, src = -1;
};

// The part of a value that a cell names, as a view.
inline at::Tensor part(at::Tensor value, const HookPoint& point, const Cell& cell) {
  for (std::size_t dim = 0; dim < point.dims.size(); ++dim) {
    const Text name = point.dims[dim];
    Index index = -1;
    if (name == "pos" || name == "dest") index = cell.pos;
    if (name == "head" || name == "kv_head") index = cell.head;
    if (name == "neuron") index = cell.neuron;
    if (name == "src") index = cell.src;
    if (index >= 0) value = value.narrow(static_cast<Index>(dim), index, 1);
  }
  return value;
}

inline double logit_diff(const at::Tensor& logits, Index answer, Index foil) {
  const at::Tensor last = logits.select(0, logits.size(0) - 1).to(at::kDouble);
  return (last[answer] - last[foil]).item<double>();
}

}  // namespace diopter::engine::testing
