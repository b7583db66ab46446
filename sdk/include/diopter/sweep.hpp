// One edited run per cell: what patching, ablation and steering tables are made of.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <diopter/edits.hpp>
#include <diopter/metric.hpp>

namespace diopter {
inline namespace abi1 {

struct CellsData;

struct Chunk {
  Index first;                 // of its cells, in row-major order of the axes
  std::vector<Tensor> values;  // per metric, double [cell, prompt]
  Capture observed;            // [cell, prompt, ...] of `observe`
};

// A cell means one plain forward of `into` under `edits`, `freeze` and `change` at its site. The host orders, batches
// and skips cells; `[execution] verify` reruns some in just that plain way.
struct Sweep {
  Prompts into;
  HookSet hooks;  // "blocks.{layer}.hook_resid_pre"
  std::vector<Axis> axes;
  Change change;
  std::vector<Metric> metrics;
  Where where = {};                   // narrows what no axis walks
  Tensor align = {};                  // int64 [prompt, pos of into] into the donor; empty: into.aligned_to(donor)
  Edits edits = {};                   // in base and cells
  HookSet freeze = {}, observe = {};  // held at the base's values; kept for each cell
  std::function<void(const Chunk&)> on_chunk =
      {};  // [main] finished cells in order; then `observed` lives for the call only
};

struct Counts {
  Index cells = 0, computed = 0, skipped = 0, verified = 0;  // skipped: cannot differ from the base run, by reasoning
  // On the raw metric, of verified cells: those computed again by plain forwards (execution.verify), or, of products in
  // low precision, with products in float32.
  double largest_difference = 0;
  // Floating-point operations of matrix products, attention's among them (a multiply and an add are two; norms,
  // activations and sums are not counted): those of the cells, and those of the base and donor runs beside them.
  double operations = 0, reference_operations = 0;
};

// What fixes the dimensions that a logged value lacks, and names those it has.
struct Labels {
  Prompts prompts = {};
  Index layer = kUnset, head = kUnset, pos = kUnset;
  Text metric = {};
  std::vector<Axis> axes = {};
};

// m: which metric. NaN where a row has no such position.
class DIOPTER_API Cells {
 public:
  Tensor values(Index m = 0) const;  // double [axis..., prompt]
  Tensor base(Index m = 0) const;    // double [prompt]: the unedited run of `into`
  Tensor donor(Index m = 0) const;   // double [prompt]: the donor's own run; undefined without one
  // double [axis...]: (x - base) / (donor - base), of means over prompts (ratio of means, as TransformerLens);
  // undefined when not asked for or when |donor - base| is under min_gap (a warning is recorded then).
  Tensor normalised(Index m = 0) const;
  Labels labels(Index m = 0) const;
  const Counts& counts() const;

  explicit Cells(std::shared_ptr<const CellsData> data) : data_(std::move(data)) {}

 private:
  std::shared_ptr<const CellsData> data_;
};

}  // namespace abi1
}  // namespace diopter
