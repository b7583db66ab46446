// The layout of the weights and its canonical views.
#include "model/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"
#include "core/model/random_model.hpp"

namespace diopter::model {
namespace {

using testing::random_parameters;
using testing::tiny_info;

TEST(Parameters, CanonicalViewsAreTheDocumentedElements) {
  const ModelInfo info = tiny_info();
  const Parameters p = random_parameters(info, 3);
  const at::Tensor fused = p.get(Part::QkvWeight, 2), fused_bias = p.get(Part::QkvBias, 2),
                   out = p.get(Part::OutWeight, 2);
  const at::Tensor q = p.canonical("W_Q", 2), k = p.canonical("W_K", 2), v = p.canonical("W_V", 2),
                   o = p.canonical("W_O", 2);
  EXPECT_EQ(q.sizes(), at::IntArrayRef({4, 20, 5}));
  EXPECT_EQ(o.sizes(), at::IntArrayRef({4, 5, 20}));
  const Index h = 3, d = 7, e = 2;
  EXPECT_TRUE(at::equal(q[h][d][e], fused[d][h * 5 + e]));
  EXPECT_TRUE(at::equal(k[h][d][e], fused[d][20 + h * 5 + e]));
  EXPECT_TRUE(at::equal(v[h][d][e], fused[d][40 + h * 5 + e]));
  EXPECT_TRUE(at::equal(o[h][e][d], out[h * 5 + e][d]));
  EXPECT_TRUE(at::equal(p.canonical("b_K", 2)[h][e], fused_bias[20 + h * 5 + e]));
  EXPECT_TRUE(at::equal(p.canonical("W_U"), p.canonical("W_E").t()));
  EXPECT_FALSE(p.canonical("b_U").defined());
  EXPECT_EQ(p.canonical("W_in", 0).sizes(), at::IntArrayRef({20, 28}));
  EXPECT_EQ(p.canonical("W_out", 0).sizes(), at::IntArrayRef({28, 20}));
  EXPECT_EQ(q.storage().data(), fused.storage().data());  // a view, no copy
}

TEST(Parameters, RolesAndLayersAreChecked) {
  const Parameters p = random_parameters(tiny_info(), 3);
  const auto message = [&](const char* role, Index layer) {
    try {
      p.canonical(role, layer);
    } catch (const base::UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message("W_q", 0), ::testing::StartsWith("expected the name of a weight, got 'W_q' (did you mean 'W_Q'"));
  EXPECT_EQ(message("W_Q", 3), "expected a layer of 0 to 2 for W_Q, got 3");
  EXPECT_EQ(message("W_Q", kUnset), "expected a layer for W_Q, got none");
  EXPECT_EQ(message("W_E", 1), "expected no layer for W_E, got 1");
}

TEST(Parameters, SlotsAreNamedOnceAndFollowTheConfiguration) {
  ModelInfo info = tiny_info();
  std::set<std::string> names;
  for (const Slot slot : slots(info)) EXPECT_TRUE(names.insert(slot_name(slot)).second) << slot_name(slot);
  EXPECT_EQ(names.size(), 2U + 3 * 12 + 2);
  EXPECT_EQ(names.count("blocks.2.mlp_in_weight"), 1U);
  info.tied_embeddings = false;
  info.attention_only = true;
  EXPECT_EQ(slots(info).size(), 2U + 3 * 6 + 3);
}

TEST(Parameters, TransformedCopiesDoNotShareAndTiedOnesStayTied) {
  const Parameters p = random_parameters(tiny_info(), 3);
  const Parameters copy = p.transformed([](Slot, const at::Tensor& w) { return w * 2; });
  EXPECT_TRUE(at::equal(copy.get(Part::QkvWeight, 1), p.get(Part::QkvWeight, 1) * 2));
  EXPECT_TRUE(copy.get(Part::Unembed).is_same(copy.get(Part::Embed)));
}

TEST(Parameters, MissingAndMisshapenTensorsAreBugs) {
  Parameters p(tiny_info());
  EXPECT_ANY_THROW(p.check());
  p = random_parameters(tiny_info(), 3);
  p.set({Part::Ln1Gain, 0}, at::ones({19}));
  EXPECT_ANY_THROW(p.check());
}

}  // namespace
}  // namespace diopter::model
