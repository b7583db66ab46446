// Compiled with reassociation of sums (see CMakeLists.txt), so that they vectorise.
#include "engine/packed/row_kernel.hpp"

#include <cmath>
#include <limits>

namespace diopter::engine {
namespace {

#define DIOPTER_INLINE inline __attribute__((always_inline))

DIOPTER_INLINE void dots(const float* q, const KeyRows& keys, Index size, float scale, float* scores) {
  for (Index i = 0; i < keys.count; ++i) {
    const float* k = keys.rows[i] + keys.offset;
    float sum = 0;
    for (Index d = 0; d < size; ++d) sum += q[d] * k[d];
    scores[i] = sum * scale;
  }
}

DIOPTER_INLINE void weighted(const float* weights, const KeyRows& values, Index size, float* z) {
  for (Index d = 0; d < size; ++d) z[d] = 0;
  for (Index i = 0; i < values.count; ++i) {
    const float* v = values.rows[i] + values.offset;
    const float w = weights[i];
    for (Index d = 0; d < size; ++d) z[d] += w * v[d];
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,fma"))) void dots_wide(const float* q, const KeyRows& keys, Index size,
                                                                        float scale, float* scores) {
  dots(q, keys, size, scale, scores);
}
__attribute__((target("avx2,fma"))) void dots_middle(const float* q, const KeyRows& keys, Index size, float scale,
                                                     float* scores) {
  dots(q, keys, size, scale, scores);
}
__attribute__((target("avx512f,avx512dq,avx512vl,fma"))) void weighted_wide(const float* weights, const KeyRows& values,
                                                                            Index size, float* z) {
  weighted(weights, values, size, z);
}
__attribute__((target("avx2,fma"))) void weighted_middle(const float* weights, const KeyRows& values, Index size,
                                                         float* z) {
  weighted(weights, values, size, z);
}
const bool kWide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
const bool kMiddle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

}  // namespace

void score_keys(const float* q, const KeyRows& keys, Index size, const model::ScoreRule& rule, float* scores) {
  const auto scale = static_cast<float>(rule.softcap > 0 ? rule.scale / rule.softcap : rule.scale);
#if defined(__x86_64__)
  if (kWide) dots_wide(q, keys, size, scale, scores);
  else if (kMiddle) dots_middle(q, keys, size, scale, scores);
  else
#endif
    dots(q, keys, size, scale, scores);
  if (rule.softcap <= 0) return;
  for (Index i = 0; i < keys.count; ++i) scores[i] = std::tanh(scores[i]) * static_cast<float>(rule.softcap);
}

void softmax_row(float* scores, Index count) {
  float most = -std::numeric_limits<float>::infinity();
  for (Index i = 0; i < count; ++i) most = scores[i] > most ? scores[i] : most;
  if (most == -std::numeric_limits<float>::infinity()) {
    for (Index i = 0; i < count; ++i) scores[i] = 0;
    return;
  }
  float sum = 0;
  for (Index i = 0; i < count; ++i) {
    scores[i] = std::exp(scores[i] - most);
    sum += scores[i];
  }
  for (Index i = 0; i < count; ++i) scores[i] /= sum;
}

void sum_values(const float* weights, const KeyRows& values, Index size, float* z) {
#if defined(__x86_64__)
  if (kWide) return weighted_wide(weights, values, size, z);
  if (kMiddle) return weighted_middle(weights, values, size, z);
#endif
  weighted(weights, values, size, z);
}

}  // namespace diopter::engine
