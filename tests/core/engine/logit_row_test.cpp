#include "engine/logit_row.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/metric_values.hpp"

namespace diopter::engine::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

LogitRow row_of(const at::Tensor& logits) { return {logits.const_data_ptr<float>(), logits.numel()}; }

// Logits of every scale and length, a vector's remainders among them.
std::vector<at::Tensor> random_logits() {
  at::set_num_threads(1);
  std::vector<at::Tensor> rows;
  std::uint64_t seed = 0;
  for (const Index size : {1, 2, 3, 7, 8, 15, 31, 257, 513, 4099}) {
    for (const double scale : {1e-6, 0.1, 1.0, 12.0, 300.0}) {
      rows.push_back(at::randn({size}, at::detail::createCPUGenerator(++seed), at::kFloat) * scale + scale * 3);
      at::Tensor masked = rows.back().clone();
      masked.index_put_({at::arange(1, size, 3)}, -kInfinity);
      rows.push_back(masked);
    }
  }
  return rows;
}

double apart(double got, double expected) { return std::abs(got - expected) / std::max(1.0, std::abs(expected)); }

TEST(LogitRow, SumsEqualThoseOfDoubles) {
  double most = 0;
  for (const at::Tensor& logits : random_logits()) {
    const at::Tensor log_p = logits.to(at::kDouble).log_softmax(-1);
    const LogitSums sums = sums_of(row_of(logits));
    ASSERT_TRUE(sums.regular());
    most = std::max(most, apart(sums.entropy(), entropy_of(log_p).item<double>()));
    for (Index i = 0; i < logits.numel(); ++i) {
      const double expected = log_p[i].item<double>(), got = sums.log_prob(logits[i].item<float>());
      if (std::isinf(expected)) {
        EXPECT_EQ(got, expected);
      } else {
        most = std::max(most, apart(got, expected));
      }
    }
  }
  printf("log-probabilities and entropies: largest difference %.2g\n", most);
  EXPECT_LT(most, 1e-13);
}

TEST(LogitRow, DivergenceEqualsThatOfDoubles) {
  double most = 0;
  const std::vector<at::Tensor> rows = random_logits();
  LogitReference reference;  // serves rows of all lengths
  for (const at::Tensor& p : rows) {
    for (const at::Tensor& q : rows) {
      if (p.numel() != q.numel()) continue;
      const double got = divergence(row_of(p), sums_of(row_of(p)), row_of(q), sums_of(row_of(q)));
      reference.set(row_of(p), tops_of(row_of(p)));
      const LogitReference::Compared compared = reference.with(row_of(q), tops_of(row_of(q)));
      EXPECT_LT(apart(compared.sums.total, sums_of(row_of(q)).total), 1e-13);
      EXPECT_LT(apart(compared.sums.weighted, sums_of(row_of(q)).weighted), 1e-13);
      const double expected =
          divergence(p.to(at::kDouble).log_softmax(-1), q.to(at::kDouble).log_softmax(-1)).item<double>();
      if (std::isinf(expected)) {
        EXPECT_EQ(got, expected);
        EXPECT_EQ(compared.divergence, expected);
      } else {
        most = std::max({most, apart(got, expected), apart(compared.divergence, expected)});
      }
    }
  }
  printf("divergences: largest difference %.2g\n", most);
  EXPECT_LT(most, 1e-12);
}

TEST(LogitRow, DivergenceFromItselfIsZero) {
  for (const at::Tensor& logits : random_logits()) {
    const LogitSums sums = sums_of(row_of(logits));
    EXPECT_EQ(divergence(row_of(logits), sums, row_of(logits), sums), 0);
  }
}

TEST(LogitRow, RowsThatAreNoDistributionAreNotRegular) {
  const at::Tensor logits = at::zeros({40});
  EXPECT_TRUE(sums_of(row_of(logits)).regular());
  for (const float value : {std::nanf(""), kInfinity}) {
    for (const Index at : {0, 17, 39}) {
      at::Tensor broken = logits.clone();
      broken[at] = value;
      EXPECT_FALSE(sums_of(row_of(broken)).regular()) << value << " at " << at;
    }
  }
  EXPECT_FALSE(sums_of(row_of(at::full({40}, -kInfinity))).regular());
}

TEST(LogitRow, LargestAreInOrderAndTheLowerTokenOfEqualOnesFirst) {
  for (at::Tensor logits : random_logits()) {
    logits = (logits * 2).round();  // many are equal
    const float* values = logits.const_data_ptr<float>();
    std::vector<Index> order(static_cast<std::size_t>(logits.numel()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return values[a] > values[b]; });
    for (const Index k : {Index{0}, Index{1}, Index{5}, logits.numel()}) {
      if (k > logits.numel()) continue;
      EXPECT_EQ(largest(row_of(logits), tops_of(row_of(logits)), k),
                std::vector<Index>(order.begin(), order.begin() + k));
    }
  }
}

TEST(LogitRow, CountsOnlyStrictlyLargerOnes) {
  for (at::Tensor logits : random_logits()) {
    logits = logits.round();
    for (const Index at : {Index{0}, logits.numel() / 2, logits.numel() - 1}) {
      const float own = logits[at].item<float>();
      EXPECT_EQ(count_above(row_of(logits), own), (logits > own).sum().item<Index>());
    }
  }
}

}  // namespace
}  // namespace diopter::engine::testing
