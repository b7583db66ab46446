// Greedy generation of every family, prompts of unequal length together, against transformers' generate() of each
// alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "core/engine/support.hpp"
#include "core/model/expected.hpp"
#include "core/model/oracle_cases.hpp"
#include "model/end_tokens.hpp"
#include "model/load.hpp"
#include "peers/python_peer.hpp"

namespace diopter::engine::testing {
namespace {

TEST(GenerateParity, GreedyTextsEqualThoseOfTransformers) {
  const std::filesystem::path oracle = peers::oracle("generate");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("generate");
  std::map<std::string, double> worst;
  Index tokens = 0, ended = 0;
  for (const auto& c : model::testing::oracle_cases(oracle)) {
    const auto expected = model::testing::read_tensors(c.folder / "expected.safetensors");
    Remembering monitor;
    const auto ends = model::end_token_ids(c.folder);
    EXPECT_EQ(ends.has_value(), c.about.at("ends").get<bool>()) << c.name;
    Session session(std::make_shared<const model::Transformer>(model::load(c.folder).parameters), nullptr, monitor,
                    {.kind = "trial", .end_tokens = ends.value_or(std::vector<Index>{})});
    const Generation got =
        session.generate(Prompts::tokens(expected.at("prompts")), {.max_new_tokens = 12, .log_probs = true}, {});
    const at::Tensor theirs = expected.at("tokens"), ours = got.tokens.squeeze(1);
    EXPECT_TRUE(at::equal(ours, theirs.narrow(1, 0, ours.size(1)))) << c.name;
    EXPECT_TRUE(theirs.narrow(1, ours.size(1), 12 - ours.size(1)).eq(-1).all().item<bool>()) << c.name;
    const at::Tensor real = ours >= 0;
    double& gap = worst[c.about.at("family")];
    gap = std::max(gap, difference(got.log_probs.squeeze(1).index({real}),
                                   expected.at("log_probs").narrow(1, 0, ours.size(1)).index({real})));
    tokens += real.sum().item<Index>();
    for (const Finish finish : got.finish) ended += finish == Finish::EndToken;
  }
  for (const auto& [family, gap] : worst) {
    fmt::print("{}: log-probabilities differ by {:.2g} at most\n", family, gap);
    EXPECT_LE(gap, 2e-5) << family;
  }
  fmt::print("{} tokens of {} families, {} texts ended by a token\n", tokens, worst.size(), ended);
  EXPECT_EQ(worst.size(), 7u);
  EXPECT_GT(ended, 20);
}

}  // namespace
}  // namespace diopter::engine::testing
