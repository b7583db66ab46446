// Attention of one lane over many keys: products of blocks of queries instead of single rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/model_info.hpp>

#include "model/attention.hpp"

namespace diopter::engine {

struct LongAttention {
  std::vector<const float*> q;         // [query] rows [head, d_head]
  std::vector<Index> position;         // [query] ascending; each sees the keys up to its own place
  const std::vector<const float*>& k;  // [place] rows [kv_head, d_head]
  const std::vector<const float*>& v;
  Index window = 0;
  std::vector<Index> heads = {};  // which are wanted; empty: all
  std::vector<float*> z;          // [query] where the wanted heads' parts of [head, d_head] are written
};

// Returns the operations of its products.
double attend_long(const LongAttention& lane, const model::ScoreRule& rule, const ModelInfo& info);

}  // namespace diopter::engine
