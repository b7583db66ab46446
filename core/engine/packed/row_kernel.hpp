// Attention of single queries over keys and values that lie in different places: plain arithmetic on rows of numbers,
// compiled for several kinds of processor; the same result for the same input on one kind.
#pragma once

#include <diopter/base.hpp>

#include "model/attention.hpp"

namespace diopter::engine {

// Keys of one query, in order of their positions: pointers to the first number of each, [size] numbers each.
struct KeyRows {
  const float* const* rows;
  Index offset;  // of the head inside a row
  Index count;
};

// scores[i] = rule(q . k[i])
void score_keys(const float* q, const KeyRows& keys, Index size, const model::ScoreRule& rule, float* scores);
// In place; all -inf becomes 0.
void softmax_row(float* scores, Index count);
// z = sum weights[i] v[i]
void sum_values(const float* weights, const KeyRows& values, Index size, float* z);

}  // namespace diopter::engine
