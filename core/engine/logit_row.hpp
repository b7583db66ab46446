// Rows of float32 logits read where they lie, one thread a row: the sums behind log-probabilities, entropy and
// divergence, and the largest. Sums and exponentials in double, each exponential to 1e-14 of its value; compiled for
// several kinds of processor, the same result for the same input on one kind.
#pragma once

#include <vector>

#include <diopter/base.hpp>

namespace diopter::engine {

struct LogitRow {
  const float* logits;
  Index size;
};

// With m the largest logit: total = sum exp(l - m), weighted = sum exp(l - m) (l - m), terms below exp(-708) left out.
struct LogitSums {
  float most;
  double total, weighted;

  bool regular()
      const;  // not so with NaN, +inf or nothing but -inf among the logits; then nothing below means anything
  double log_prob(float logit) const;
  double entropy() const;  // nat
};

// The largest logit of each block of a row, NaN left out: what most of a search for the largest of all needs.
std::vector<float> tops_of(const LogitRow& row);
LogitSums sums_of(const LogitRow& row, const std::vector<float>& tops);
LogitSums sums_of(const LogitRow& row);
// KL(p || q) in nat, of rows of one length and their sums, both regular; +inf where p allows what q excludes.
double divergence(const LogitRow& p, const LogitSums& of_p, const LogitRow& q, const LogitSums& of_q);
// The k largest, the largest first; of equal logits the lower token. No NaN; 0 <= k <= size.
std::vector<Index> largest(const LogitRow& row, const std::vector<float>& tops, Index k);
Index count_above(const LogitRow& row, float logit);  // strictly

// A row that many are compared with, each in the pass that also makes its sums.
class LogitReference {
 public:
  void set(const LogitRow& row, const std::vector<float>& tops);  // the logits must stay where they are
  const LogitSums& sums() const noexcept { return sums_; }

  struct Compared {
    LogitSums sums;     // of the other row
    double divergence;  // KL(this || other), as divergence() of both, if both are regular
  };
  Compared with(const LogitRow& other, const std::vector<float>& tops) const;

 private:
  LogitRow row_{};
  LogitSums sums_{};
  std::vector<double> exponentials_;  // exp(l - m): as dear as all the rest
};

}  // namespace diopter::engine
