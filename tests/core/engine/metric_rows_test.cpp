// Metrics read from rows of float logits, against the formulas in double.
#include "engine/metric_rows.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

constexpr Index kRows = 40, kVocabulary = 1003;

at::Tensor some_logits(std::uint64_t seed, double scale) {
  return at::randn({kRows, kVocabulary}, at::detail::createCPUGenerator(seed), at::kFloat) * scale;
}

at::Tensor tokens(std::uint64_t seed, Index choices) {
  at::Tensor out =
      at::randint(0, kVocabulary, {kRows, choices}, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kLong));
  if (choices > 1) out.narrow(1, choices - 1, 1).narrow(0, 0, kRows / 2).fill_(-1);  // fewer choices in some rows
  return out;
}

TEST(MetricRows, EqualTheFormulasInDouble) {
  for (const double scale : {0.01, 3.0, 60.0}) {
    at::Tensor logits = some_logits(1, scale);
    logits[3].round_();                                       // ties
    logits[4][17] = -std::numeric_limits<float>::infinity();  // excluded
    const at::Tensor clean = logits + 0.1 * some_logits(2, scale);
    const MetricRows rows(logits), reference(clean);
    ASSERT_TRUE(rows.regular());
    const at::Tensor all = at::arange(kRows);
    MetricInputs in{.logits = logits.to(at::kDouble),
                    .answer = tokens(3, 3),
                    .foil = tokens(4, 2),
                    .next = tokens(5, 1).squeeze(1),
                    .reference_log_probs = clean.to(at::kDouble).log_softmax(-1)};
    for (const char* metric : {"rank", "log_prob", "joint_log_prob", "prob", "prob_diff", "loss", "entropy",
                               "kl_to_clean", "kl_to_unpatched"}) {
      const bool kl = std::string_view(metric).starts_with("kl");
      const at::Tensor ours = rows.values(metric, all, in, kl ? &reference : nullptr, all);
      const at::Tensor expected = metric_values(metric, in);
      const double gap = (ours - expected).abs().max().item<double>();
      printf("scale %5.2f %-16s largest difference %.1e\n", scale, metric, gap);
      EXPECT_LE(gap, std::string_view(metric) == "rank" ? 0 : 1e-11 * std::max(1.0, scale)) << metric;
    }
  }
}

TEST(MetricRows, SomeRowsInAnyOrder) {
  const at::Tensor logits = some_logits(1, 2), clean = some_logits(2, 2);
  const MetricRows rows(logits), reference(clean);
  const at::Tensor which = ints({7, 2, 39}), entries = ints({1, 38, 0});
  const at::Tensor ours = rows.values("kl_to_clean", which, {}, &reference, entries);
  const at::Tensor p = clean.index_select(0, entries).to(at::kDouble).log_softmax(-1);
  const at::Tensor q = logits.index_select(0, which).to(at::kDouble).log_softmax(-1);
  EXPECT_LT(difference(ours, (p.exp() * (p - q)).sum(-1)), 1e-12);
}

TEST(MetricRows, RowsWithoutNumbersAreNotRegular) {
  at::Tensor logits = some_logits(1, 2);
  EXPECT_TRUE(MetricRows(logits).regular());
  logits[5][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(MetricRows(logits).regular());
  EXPECT_FALSE(MetricRows::can_read(logits.to(at::kDouble)));
}

}  // namespace
}  // namespace diopter::engine::testing
