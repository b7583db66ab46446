// A model in another family's layout computes what it computed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/model/oracle_cases.hpp"
#include "core/model/random_model.hpp"
#include "core/weights/files.hpp"
#include "model/load.hpp"
#include "model/rearrange.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using ::testing::HasSubstr;
using testing::largest;
using testing::largest_difference;
using testing::oracle_cases;
using testing::OracleCase;
using weights::testing::refusal;

std::filesystem::path file_of(const OracleCase& c) {
  return c.folder.parent_path() / (c.about.contains("path") ? c.about.at("path").get<std::string>() : c.name);
}

double change_of_logits(const Parameters& before, const Parameters& after) {
  const at::Tensor ids = testing::random_ids(before.info(), 2, std::min<Index>(9, before.info().n_ctx));
  const at::Tensor expected = Transformer(before).forward(ids);
  return largest_difference(Transformer(after).forward(ids), expected) / largest(expected);
}

// Every model of both oracles into every family that takes it, and back where that is possible.
TEST(Rearrange, LogitsAreTheSameInEveryFamilyThatTakesTheModel) {
  const c10::InferenceMode no_graph;
  std::map<std::string, int> made;
  double worst = 0;
  for (const char* oracle_name : {"layouts", "families"}) {
    const std::filesystem::path oracle = peers::oracle(oracle_name);
    if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle(oracle_name);
    for (const OracleCase& c : oracle_cases(oracle)) {
      const Parameters from = load(file_of(c)).parameters;
      for (const char* family : {"gpt2", "gpt_neox", "llama", "mistral", "hooked_transformer"}) {
        try {
          const Parameters to = rearranged(from, family);
          EXPECT_EQ(to.info().family, family);
          const double change = change_of_logits(from, to);
          EXPECT_LT(change, 1e-6) << c.name << " as " << family;
          worst = std::max(worst, change);
          ++made[from.info().family + " as " + family];
        } catch (const base::UserError& error) {
          EXPECT_EQ(error.exit(), base::Exit::Refused) << error.what();
        }
      }
    }
  }
  for (const auto& [pair, count] : made) fmt::print("{:<36} {:>3} models\n", pair, count);
  fmt::print("largest change of a logit, as a share of the largest: {:.2g}\n", worst);
  EXPECT_GE(made["nanogpt as gpt2"], 6);
  EXPECT_GE(made["mingpt as gpt2"], 2);
  EXPECT_GE(made["nanogpt as hooked_transformer"], 6);
  EXPECT_GE(made["llama as hooked_transformer"], 4);
  EXPECT_GE(made["gpt_neox as hooked_transformer"], 4);
  EXPECT_EQ(made["llama as gpt2"], 0);
}

TEST(Rearrange, WhatAFamilyCannotHoldIsNamed) {
  ModelInfo tiny = testing::tiny_info();
  tiny.n_heads = tiny.n_kv_heads = 5;  // heads of 4: rotary families refuse odd ones
  tiny.d_head = 4;
  tiny.attention_scale = 0.5;
  Parameters gpt2 = testing::random_parameters(tiny, 1);
  EXPECT_THAT(refusal([&] { rearranged(gpt2, "llama"); }),
              HasSubstr("expected a model that the llama layout can hold, got one with another norm"));
  EXPECT_THAT(refusal([&] { rearranged(gpt2, "gpt3"); }), HasSubstr("gpt3"));

  const Parameters lens = rearranged(gpt2, "hooked_transformer");
  Parameters with_bias = lens;
  with_bias.set({Part::UnembedBias, -1}, at::ones({31}));
  EXPECT_THAT(refusal([&] { rearranged(with_bias, "gpt2"); }), HasSubstr("b_U other than 0"));
  Parameters without = lens;
  without.set({Part::UnembedBias, -1}, at::zeros({31}));
  EXPECT_LT(change_of_logits(gpt2, rearranged(without, "gpt2")), 1e-6);
}

}  // namespace
}  // namespace diopter::model
