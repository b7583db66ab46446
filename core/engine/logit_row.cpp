// Compiled with vectors and fused multiplication (see CMakeLists.txt); only sums marked `omp simd` are reassociated,
// as the reduction of exp's argument must not be.
#include "engine/logit_row.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

namespace diopter::engine {
namespace {

#define DIOPTER_INLINE inline __attribute__((always_inline))

constexpr double kLeastExponent = -708;  // exp() of less is no normal number

// exp(x) for -708 <= x <= 0: 2^n exp(r) with |r| <= ln 2 / 2, its Taylor polynomial of degree 11 (Cody and Waite).
DIOPTER_INLINE double exponential(double x) {
  constexpr double kToInteger = 0x1.8p52;  // adding it leaves the nearest integer in the lowest bits
  const double shifted = x * 0x1.71547652b82fep+0 + kToInteger;
  const double n = shifted - kToInteger;
  const double r = (x - n * 0x1.62e42fefa39efp-1) - n * 0x1.abc9e3b39803fp-56;
  double sum = 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  const auto exponent = (std::bit_cast<std::uint64_t>(shifted) + 1023) << 52;
  return sum * std::bit_cast<double>(exponent);
}

DIOPTER_INLINE float most(const float* logits, Index size) {
  float found = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : found)
  for (Index i = 0; i < size; ++i) found = logits[i] > found ? logits[i] : found;
  return found;
}

constexpr Index kBlock = 512;  // of tops_of()

DIOPTER_INLINE void tops(const float* logits, Index size, float* out) {
  for (Index first = 0; first < size; first += kBlock)
    *out++ = most(logits + first, size - first < kBlock ? size - first : kBlock);
}

// A row that is compared with others: its logits, the largest, exp(l - m) of each.
struct From {
  const float* logits;
  float most;
  const double* exponentials;
};

enum class With { Nothing, Exponentials, Comparison };

// The sums of a row with out.most known; beside them its own exponentials, or sum exp(p - m_p) ((p - m_p) - (l - m)).
template <With kWith>
DIOPTER_INLINE double sums(const float* logits, Index size, LogitSums& out, const From& from, double* keep) {
  const double top = out.most, from_top = from.most;
  const float* p = from.logits;
  const double* kept = from.exponentials;
  double total = 0, weighted = 0, cross = 0;
#pragma omp simd reduction(+ : total, weighted, cross)
  for (Index i = 0; i < size; ++i) {
    const double x = logits[i] - top, near = x < kLeastExponent ? kLeastExponent : x;
    const double e = x < kLeastExponent ? 0 : exponential(near);
    total += e;
    weighted += e * near;
    if constexpr (kWith == With::Exponentials) keep[i] = e;
    if constexpr (kWith == With::Comparison) cross += kept[i] == 0 ? 0 : kept[i] * ((p[i] - from_top) - x);
  }
  out.total = total;
  out.weighted = weighted;
  return cross;
}

// sum exp(p - most p) ((p - most p) - (q - most q))
DIOPTER_INLINE double cross(const float* p, double most_p, const float* q, double most_q, Index size) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < size; ++i) {
    const double x = p[i] - most_p, near = x < kLeastExponent ? kLeastExponent : x;
    sum += x < kLeastExponent ? 0 : exponential(near) * (x - (q[i] - most_q));
  }
  return sum;
}

DIOPTER_INLINE Index above(const float* logits, Index size, float than) {
  std::int64_t count = 0;
#pragma omp simd reduction(+ : count)
  for (Index i = 0; i < size; ++i) count += logits[i] > than ? 1 : 0;
  return count;
}

// The arithmetic for one kind of processor.
struct Kernels {
  void (*tops)(const float*, Index, float*);
  double (*sums)(const float*, Index, LogitSums&, const From&, double*);
  double (*sums_keeping)(const float*, Index, LogitSums&, const From&, double*);
  double (*sums_comparing)(const float*, Index, LogitSums&, const From&, double*);
  double (*cross)(const float*, double, const float*, double, Index);
  Index (*above)(const float*, Index, float);
};

#define DIOPTER_SUMS(name, with, attribute)                                                                \
  attribute double name(const float* logits, Index size, LogitSums& out, const From& from, double* keep) { \
    return sums<with>(logits, size, out, from, keep);                                                      \
  }

#define DIOPTER_KERNELS(kind, attribute)                                                                          \
  attribute void tops_##kind(const float* logits, Index size, float* out) { tops(logits, size, out); }            \
  DIOPTER_SUMS(sums_##kind, With::Nothing, attribute)                                                             \
  DIOPTER_SUMS(sums_keeping_##kind, With::Exponentials, attribute)                                                \
  DIOPTER_SUMS(sums_comparing_##kind, With::Comparison, attribute)                                                \
  attribute double cross_##kind(const float* p, double most_p, const float* q, double most_q, Index size) {       \
    return cross(p, most_p, q, most_q, size);                                                                     \
  }                                                                                                               \
  attribute Index above_##kind(const float* logits, Index size, float than) { return above(logits, size, than); } \
  constexpr Kernels kernels_##kind = {tops_##kind,           sums_##kind,  sums_keeping_##kind,                   \
                                      sums_comparing_##kind, cross_##kind, above_##kind};

DIOPTER_KERNELS(any, )
#if defined(__x86_64__)
DIOPTER_KERNELS(wide, __attribute__((target("avx512f,avx512dq,avx512vl,fma"))))
DIOPTER_KERNELS(middle, __attribute__((target("avx2,fma"))))
#endif

const Kernels& kernels() {
#if defined(__x86_64__)
  static const Kernels& chosen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")
                                     ? kernels_wide
                                 : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kernels_middle
                                                                                                   : kernels_any;
  return chosen;
#else
  return kernels_any;
#endif
}

}  // namespace

bool LogitSums::regular() const { return std::isfinite(most) && std::isfinite(total); }
double LogitSums::log_prob(float logit) const { return (static_cast<double>(logit) - most) - std::log(total); }
double LogitSums::entropy() const { return std::log(total) - weighted / total; }

std::vector<float> tops_of(const LogitRow& row) {
  std::vector<float> out(static_cast<std::size_t>((row.size + kBlock - 1) / kBlock));
  kernels().tops(row.logits, row.size, out.data());
  return out;
}

LogitSums sums_of(const LogitRow& row, const std::vector<float>& tops) {
  LogitSums out{*std::max_element(tops.begin(), tops.end()), 0, 0};
  kernels().sums(row.logits, row.size, out, {}, nullptr);
  return out;
}

LogitSums sums_of(const LogitRow& row) { return sums_of(row, tops_of(row)); }

void LogitReference::set(const LogitRow& row, const std::vector<float>& tops) {
  row_ = row;
  sums_ = {*std::max_element(tops.begin(), tops.end()), 0, 0};
  exponentials_.resize(static_cast<std::size_t>(row.size));
  kernels().sums_keeping(row.logits, row.size, sums_, {}, exponentials_.data());
}

LogitReference::Compared LogitReference::with(const LogitRow& other, const std::vector<float>& tops) const {
  Compared out{.sums = {*std::max_element(tops.begin(), tops.end()), 0, 0}, .divergence = 0};
  const From from{row_.logits, sums_.most, exponentials_.data()};
  const double cross = kernels().sums_comparing(other.logits, other.size, out.sums, from, nullptr);
  out.divergence = cross / sums_.total + (std::log(out.sums.total) - std::log(sums_.total));
  return out;
}

double divergence(const LogitRow& p, const LogitSums& of_p, const LogitRow& q, const LogitSums& of_q) {
  const double sum = kernels().cross(p.logits, of_p.most, q.logits, of_q.most, p.size);
  return sum / of_p.total + (std::log(of_q.total) - std::log(of_p.total));
}

std::vector<Index> largest(const LogitRow& row, const std::vector<float>& tops, Index k) {
  const auto better = [&](Index a, Index b) {
    return row.logits[a] > row.logits[b] || (row.logits[a] == row.logits[b] && a < b);
  };
  std::vector<Index> heap;  // the worst of the best on top
  if (k == 0) return heap;
  float least = -std::numeric_limits<float>::infinity();  // k blocks have a logit as large: none below is wanted
  if (k <= static_cast<Index>(tops.size())) {
    std::vector<float> ordered = tops;
    std::nth_element(ordered.begin(), ordered.begin() + (k - 1), ordered.end(), std::greater<>());
    least = ordered[static_cast<std::size_t>(k - 1)];
  }
  heap.reserve(static_cast<std::size_t>(k));
  for (Index first = 0; first < row.size; first += kBlock) {
    const Index end = std::min(first + kBlock, row.size);
    const float top = tops[static_cast<std::size_t>(first / kBlock)];
    const bool full = static_cast<Index>(heap.size()) == k;
    if (top < least || (full && !(top > row.logits[heap.front()]))) continue;
    for (Index i = first; i < end; ++i) {
      if (static_cast<Index>(heap.size()) == k) {
        if (!better(i, heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end(), better);
        heap.pop_back();
      }
      heap.push_back(i);
      std::push_heap(heap.begin(), heap.end(), better);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), better);
  return heap;
}

Index count_above(const LogitRow& row, float logit) { return kernels().above(row.logits, row.size, logit); }

}  // namespace diopter::engine
