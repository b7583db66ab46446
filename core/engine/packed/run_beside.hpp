// A run of prompts that have tokens in common with others whose run is known: only what differs is computed.
#pragma once

#include <span>

#include "engine/packed/lane_walk.hpp"
#include "engine/source_runs.hpp"

namespace diopter::engine {

// The share of the real positions of `rows` whose prefix is that of the same row of `known`.
double shared_part(const RowBatch& known, const RowBatch& rows);

struct BesideRun {
  HookValues values;      // whole, of `rows`
  double operations = 0;  // of the matrix products
};

// What the run of `rows` holds at `ids`. `values`: of the run of `known`, which belongs to them row by row, at
// KeptRun::points(from layer 0) and at `ids`; unedited, as this one is.
BesideRun run_beside(const model::Transformer& model, const RowBatch& known, const HookValues& values,
                     const RowBatch& rows, std::span<const HookId> ids, const MetricReader& reader,
                     const model::ExecutionPath& kernels);

}  // namespace diopter::engine
