// What a tap sees and what its edits do: order, shapes, identities, bit equality, and that every edit takes effect.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <numeric>

#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

using testing::largest;
using testing::largest_difference;
using testing::random_ids;
using testing::random_model;
using testing::RecordingTap;

class Taps : public ::testing::Test {
 protected:
  const at::Tensor& shown(const RecordingTap& tap, Point point, Index layer = 0) const {
    return tap.values.at(model_.hooks().id(point, layer));
  }
  Pass pass(RecordingTap& tap, bool all_slow_paths = false) const {
    Pass p{&tap};
    if (all_slow_paths) p.path = {true, true, true};
    return p;
  }

  c10::InferenceMode no_graph_;
  Transformer model_ = random_model();
  at::Tensor ids_ = random_ids(model_.info(), 3, 11);
  double limit_ = 5e-6 * largest(model_.forward(ids_));
};

TEST_F(Taps, EveryPointFiresOnceInTheTablesOrderWithItsShape) {
  RecordingTap tap = RecordingTap::all(model_.hooks());
  model_.forward(ids_, pass(tap));
  std::vector<HookId> expected(static_cast<std::size_t>(model_.hooks().size()));
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(tap.order, expected);
  for (const auto& [id, value] : tap.values) {
    EXPECT_EQ(value.sizes().vec(), model_.hooks().shape(id, 3, 11)) << model_.hooks()[id].name;
    EXPECT_TRUE(value.isfinite().logical_or(value.isneginf()).all().item<bool>()) << model_.hooks()[id].name;
  }
}

TEST_F(Taps, ObservingEverythingChangesNoLogit) {
  const at::Tensor plain = model_.forward(ids_);
  RecordingTap all = RecordingTap::all(model_.hooks());
  const double difference = largest_difference(plain, model_.forward(ids_, pass(all)));
  fmt::print("{} logits, largest difference {:.3g} (limit {:.3g})\n", plain.numel(), difference, limit_);
  EXPECT_LE(difference, limit_);
  for (Index id = 0; id < model_.hooks().size(); ++id) {
    RecordingTap one(model_.hooks(), {static_cast<HookId>(id)});
    EXPECT_LE(largest_difference(plain, model_.forward(ids_, pass(one))), limit_)
        << model_.hooks()[static_cast<HookId>(id)].name;
    EXPECT_EQ(one.order.size(), 1U);
  }
}

TEST_F(Taps, ValuesAreTheSameWhateverElseIsWanted) {
  RecordingTap all = RecordingTap::all(model_.hooks());
  model_.forward(ids_, pass(all));
  for (Index id = 0; id < model_.hooks().size(); ++id) {
    RecordingTap one(model_.hooks(), {static_cast<HookId>(id)});
    model_.forward(ids_, pass(one));
    const at::Tensor a = one.values.begin()->second, b = all.values.at(static_cast<HookId>(id));
    EXPECT_TRUE(at::allclose(a, b, 1e-5, 1e-5)) << model_.hooks()[static_cast<HookId>(id)].name;
  }
}

TEST_F(Taps, ShownValuesAreSnapshots) {
  // What was shown is compared with clones taken at that moment: the forward may not write into it afterwards.
  std::map<HookId, at::Tensor> clones;
  RecordingTap tap = RecordingTap::all(model_.hooks(), [&](HookId id, const at::Tensor& value) {
    clones[id] = value.clone();
    return value;
  });
  model_.forward(ids_, pass(tap));
  for (const auto& [id, value] : tap.values) EXPECT_TRUE(at::equal(value, clones.at(id))) << model_.hooks()[id].name;
}

TEST_F(Taps, AnEditByIdentityLeavesEveryBit) {
  for (const bool slow : {false, true}) {
    for (Index i = 0; i < model_.hooks().size(); ++i) {
      const auto id = static_cast<HookId>(i);
      RecordingTap observer(model_.hooks(), {id});
      RecordingTap editor(model_.hooks(), {id}, [](HookId, const at::Tensor& value) { return value.clone(); });
      EXPECT_TRUE(at::equal(model_.forward(ids_, pass(observer, slow)), model_.forward(ids_, pass(editor, slow))))
          << model_.hooks()[id].name;
    }
  }
}

TEST_F(Taps, WithThePathFixedAnIdentityEditEqualsTheRunWithoutTap) {
  Pass base;
  base.path = {true, true, true};
  const at::Tensor plain = model_.forward(ids_, base);
  for (const Point point : {Point::AttnIn, Point::QInput, Point::KInput, Point::VInput, Point::AttnScores,
                            Point::Pattern, Point::Z, Point::Result, Point::ResidPre, Point::Ln1Scale, Point::Ln2Scale,
                            Point::MlpPre, Point::MlpOut, Point::AttnOut}) {
    RecordingTap editor(model_.hooks(), {model_.hooks().id(point, 1)},
                        [](HookId, const at::Tensor& value) { return value.clone(); });
    Pass edited = base;
    edited.tap = &editor;
    EXPECT_TRUE(at::equal(plain, model_.forward(ids_, edited))) << model_.hooks()[model_.hooks().id(point, 1)].name;
  }
}

TEST_F(Taps, EveryEditMovesTheLogits) {
  const at::Tensor plain = model_.forward(ids_);
  for (Index i = 0; i < model_.hooks().size(); ++i) {
    const auto id = static_cast<HookId>(i);
    RecordingTap tap(model_.hooks(), {id}, [](HookId, const at::Tensor& value) {
      // Noise per element: norms hide a scaling, softmax hides a constant.
      return value + 0.1 * at::randn(value.sizes(), at::detail::createCPUGenerator(7), value.options());
    });
    EXPECT_GT(largest_difference(plain, model_.forward(ids_, pass(tap))), 1e-4) << model_.hooks()[id].name;
  }
}

TEST_F(Taps, OnePositionsEditOfOneLayerMovesOnlyLaterPositions) {
  const at::Tensor plain = model_.forward(ids_);
  const HookId id = model_.hooks().id(Point::ResidPre, 1);
  RecordingTap tap(model_.hooks(), {id}, [](HookId, const at::Tensor& value) {
    at::Tensor edited = value.clone();
    edited.select(1, 4).add_(at::randn({20}, at::detail::createCPUGenerator(7)));
    return edited;
  });
  const at::Tensor moved = (model_.forward(ids_, pass(tap)) - plain).abs().amax({0, 2});  // [pos]
  EXPECT_LE(largest(moved.narrow(0, 0, 4)), limit_);
  EXPECT_GT(moved.narrow(0, 4, 7).min().item<double>(), 1e-4);
}

TEST_F(Taps, ResidualIdentities) {
  RecordingTap tap = RecordingTap::all(model_.hooks());
  const at::Tensor logits = model_.forward(ids_, pass(tap));
  EXPECT_TRUE(at::equal(shown(tap, Point::ResidPre, 0), shown(tap, Point::Embed) + shown(tap, Point::PosEmbed)));
  for (Index l = 0; l < 3; ++l) {
    EXPECT_TRUE(
        at::equal(shown(tap, Point::ResidMid, l), shown(tap, Point::ResidPre, l) + shown(tap, Point::AttnOut, l)));
    EXPECT_TRUE(
        at::equal(shown(tap, Point::ResidPost, l), shown(tap, Point::ResidMid, l) + shown(tap, Point::MlpOut, l)));
    EXPECT_TRUE(at::equal(shown(tap, Point::MlpIn, l), shown(tap, Point::ResidMid, l)));
    if (l > 0) {
      EXPECT_TRUE(at::equal(shown(tap, Point::ResidPre, l), shown(tap, Point::ResidPost, l - 1)));
    }
    const at::Tensor attention = shown(tap, Point::Result, l).sum(2) + model_.parameters().canonical("b_O", l);
    EXPECT_LE(largest_difference(attention, shown(tap, Point::AttnOut, l)), 1e-6 * largest(attention) + 1e-6);
    for (const Point input : {Point::AttnIn, Point::QInput, Point::KInput, Point::VInput}) {
      EXPECT_TRUE(at::equal(shown(tap, input, l), shown(tap, Point::ResidPre, l).unsqueeze(2).expand({3, 11, 4, 20})));
    }
  }
  EXPECT_TRUE(at::equal(shown(tap, Point::UnembedOut), logits));
  EXPECT_TRUE(at::equal(shown(tap, Point::UnembedIn), shown(tap, Point::LnFinalNormalized)));
}

TEST_F(Taps, ValuesFollowTheirFormulas) {
  RecordingTap tap = RecordingTap::all(model_.hooks());
  model_.forward(ids_, pass(tap));
  const Parameters& p = model_.parameters();
  for (Index l = 0; l < 3; ++l) {
    const at::Tensor x = shown(tap, Point::ResidPre, l).to(at::kDouble), centred = x - x.mean(-1, true);
    const at::Tensor scale = (centred.square().mean(-1, true) + 1e-5).sqrt();
    EXPECT_LE(largest_difference(shown(tap, Point::Ln1Scale, l), scale), 1e-6);
    const at::Tensor normalized = centred / scale * p.canonical("ln1_w", l) + p.canonical("ln1_b", l);
    EXPECT_LE(largest_difference(shown(tap, Point::Ln1Normalized, l), normalized), 1e-5);
    for (const auto& [point, weight, bias] :
         {std::tuple{Point::Q, "W_Q", "b_Q"}, {Point::K, "W_K", "b_K"}, {Point::V, "W_V", "b_V"}}) {
      const at::Tensor expected =
          at::einsum("bpd,hde->bphe", {normalized, p.canonical(weight, l).to(at::kDouble)}) + p.canonical(bias, l);
      EXPECT_LE(largest_difference(shown(tap, point, l), expected), 1e-5) << weight;
    }
    const at::Tensor scores =
        at::einsum("bqhe,bkhe->bhqk", {shown(tap, Point::Q, l), shown(tap, Point::K, l)}) / std::sqrt(5.0);
    const at::Tensor hidden = at::ones({11, 11}, at::kBool).triu(1);
    EXPECT_LE(
        largest_difference(shown(tap, Point::AttnScores, l).masked_fill(hidden, 0), scores.masked_fill(hidden, 0)),
        1e-5);
    EXPECT_TRUE(shown(tap, Point::AttnScores, l).masked_select(hidden).isneginf().all().item<bool>());
    const at::Tensor& pattern = shown(tap, Point::Pattern, l);
    EXPECT_LE(largest_difference(pattern.sum(-1), at::ones({3, 4, 11})), 1e-6);
    EXPECT_EQ(largest(pattern.masked_select(hidden)), 0);
    EXPECT_LE(
        largest_difference(shown(tap, Point::Z, l), at::einsum("bhqk,bkhe->bqhe", {pattern, shown(tap, Point::V, l)})),
        1e-5);
    EXPECT_LE(largest_difference(shown(tap, Point::Result, l),
                                 at::einsum("bphe,hed->bphd", {shown(tap, Point::Z, l), p.canonical("W_O", l)})),
              1e-5);
    EXPECT_LE(largest_difference(
                  shown(tap, Point::MlpPre, l),
                  at::matmul(shown(tap, Point::Ln2Normalized, l), p.canonical("W_in", l)) + p.canonical("b_in", l)),
              1e-5);
    EXPECT_LE(largest_difference(shown(tap, Point::MlpPost, l), at::gelu(shown(tap, Point::MlpPre, l), "tanh")), 1e-6);
    EXPECT_LE(largest_difference(
                  shown(tap, Point::MlpOut, l),
                  at::matmul(shown(tap, Point::MlpPost, l), p.canonical("W_out", l)) + p.canonical("b_out", l)),
              1e-5);
  }
}

// Each case edits one point by a donor's value and says which later points must follow from the edited value.
TEST_F(Taps, AnEditReachesEveryConsumer) {
  const auto negated = [](HookId, const at::Tensor& value) { return -value; };
  const auto run = [&](Point point, auto edit) {
    std::vector<HookId> wanted;
    for (Index id = 0; id < model_.hooks().size(); ++id) wanted.push_back(static_cast<HookId>(id));
    const HookId target = model_.hooks().id(point, 1);
    RecordingTap tap(model_.hooks(), wanted,
                     [=](HookId id, const at::Tensor& value) { return id == target ? edit(id, value) : value; });
    model_.forward(ids_, pass(tap));
    return tap;
  };
  RecordingTap resid_pre = run(Point::ResidPre, negated);
  EXPECT_TRUE(at::equal(shown(resid_pre, Point::ResidMid, 1),
                        shown(resid_pre, Point::AttnOut, 1) - shown(resid_pre, Point::ResidPre, 1)));
  EXPECT_TRUE(at::equal(shown(resid_pre, Point::QInput, 1).select(2, 0), -shown(resid_pre, Point::ResidPre, 1)));
  RecordingTap resid_mid = run(Point::ResidMid, negated);
  EXPECT_TRUE(at::equal(shown(resid_mid, Point::MlpIn, 1), -shown(resid_mid, Point::ResidMid, 1)));
  EXPECT_TRUE(at::equal(shown(resid_mid, Point::ResidPost, 1),
                        shown(resid_mid, Point::MlpOut, 1) - shown(resid_mid, Point::ResidMid, 1)));
  RecordingTap mlp_in = run(Point::MlpIn, negated);  // the branch alone
  EXPECT_TRUE(at::equal(shown(mlp_in, Point::ResidPost, 1),
                        shown(mlp_in, Point::MlpOut, 1) + shown(mlp_in, Point::ResidMid, 1)));
  RecordingTap post = run(Point::ResidPost, negated);
  EXPECT_TRUE(at::equal(shown(post, Point::ResidPre, 2), -shown(post, Point::ResidPost, 1)));
  RecordingTap scores = run(Point::AttnScores, [](HookId, const at::Tensor& value) { return value * 2; });
  EXPECT_LE(
      largest_difference(shown(scores, Point::Pattern, 1), at::softmax(shown(scores, Point::AttnScores, 1) * 2, -1)),
      1e-6);
  RecordingTap pattern =
      run(Point::Pattern, [](HookId, const at::Tensor& value) { return value * 3; });  // no renormalisation
  EXPECT_LE(largest_difference(
                shown(pattern, Point::Z, 1),
                at::einsum("bhqk,bkhe->bqhe", {shown(pattern, Point::Pattern, 1) * 3, shown(pattern, Point::V, 1)})),
            1e-5);
  RecordingTap result = run(Point::Result, negated);
  EXPECT_LE(largest_difference(shown(result, Point::AttnOut, 1),
                               model_.parameters().canonical("b_O", 1) - shown(result, Point::Result, 1).sum(2)),
            1e-5);
}

TEST_F(Taps, AnEditedInputOfOneHeadMovesThatHeadOnly) {
  for (const auto& [input, output] :
       {std::pair{Point::QInput, Point::Q}, {Point::KInput, Point::K}, {Point::VInput, Point::V}}) {
    const HookId target = model_.hooks().id(input, 1), watched = model_.hooks().id(output, 1);
    RecordingTap base(model_.hooks(), {watched});
    model_.forward(ids_, pass(base));
    const at::Tensor donor = at::randn({3, 11, 20}, at::detail::createCPUGenerator(5), at::kFloat);
    RecordingTap tap(model_.hooks(), {target, watched}, [&](HookId id, const at::Tensor& value) {
      if (id != target) return value;
      at::Tensor edited = value.clone(at::MemoryFormat::Contiguous);
      edited.select(2, 3).copy_(donor);
      return edited;
    });
    model_.forward(ids_, pass(tap));
    const at::Tensor before = base.values.at(watched), after = tap.values.at(watched);
    EXPECT_LE(largest_difference(before.narrow(2, 0, 3), after.narrow(2, 0, 3)), 1e-5);
    const Qkv of_donor = model_.qkv(1, donor);
    const at::Tensor expected = output == Point::Q ? of_donor.q : output == Point::K ? of_donor.k : of_donor.v;
    EXPECT_LE(largest_difference(after.select(2, 3), expected.select(2, 3)), 1e-5);  // its own norm, its own product
  }
}

TEST_F(Taps, AnEditedAttnInReachesQueriesKeysAndValues) {
  const at::Tensor donor = at::randn({3, 11, 20}, at::detail::createCPUGenerator(5), at::kFloat);
  const HookId target = model_.hooks().id(Point::AttnIn, 1);
  RecordingTap tap = RecordingTap::all(model_.hooks(), [&](HookId id, const at::Tensor& value) {
    return id == target ? donor.unsqueeze(2).expand_as(value) : value;
  });
  model_.forward(ids_, pass(tap));
  const Qkv expected = model_.qkv(1, donor);
  EXPECT_LE(largest_difference(shown(tap, Point::Q, 1), expected.q), 1e-5);
  EXPECT_LE(largest_difference(shown(tap, Point::K, 1), expected.k), 1e-5);
  EXPECT_LE(largest_difference(shown(tap, Point::V, 1), expected.v), 1e-5);
  EXPECT_TRUE(at::equal(shown(tap, Point::ResidMid, 1),
                        shown(tap, Point::ResidPre, 1) + shown(tap, Point::AttnOut, 1)));  // the skip is unedited
}

TEST_F(Taps, AnEditedScaleIsDividedBy) {
  const HookId target = model_.hooks().id(Point::Ln1Scale, 1);
  RecordingTap tap = RecordingTap::all(
      model_.hooks(), [=](HookId id, const at::Tensor& value) { return id == target ? value * 2 : value; });
  RecordingTap base = RecordingTap::all(model_.hooks());
  model_.forward(ids_, pass(tap));
  model_.forward(ids_, pass(base));
  const at::Tensor bias = model_.parameters().canonical("ln1_b", 1);
  EXPECT_LE(
      largest_difference(shown(tap, Point::Ln1Normalized, 1) - bias, (shown(base, Point::Ln1Normalized, 1) - bias) / 2),
      1e-5);
}

TEST_F(Taps, AnAttentionRowEditedToSeeNothingGivesZerosNotNaN) {
  const HookId scores = model_.hooks().id(Point::AttnScores, 0);
  RecordingTap tap = RecordingTap::all(model_.hooks(), [=](HookId id, const at::Tensor& value) {
    return id == scores ? at::full_like(value, -std::numeric_limits<double>::infinity()) : value;
  });
  EXPECT_TRUE(model_.forward(ids_, pass(tap)).isfinite().all().item<bool>());
  EXPECT_EQ(largest(shown(tap, Point::Pattern, 0)), 0);
  EXPECT_EQ(largest(shown(tap, Point::Z, 0)), 0);
}

TEST_F(Taps, AllPositionsOfTheDonorsStreamGiveTheDonorsLogits) {
  const at::Tensor donor_ids = random_ids(model_.info(), 3, 11, 99), donor_logits = model_.forward(donor_ids);
  for (const Point point : {Point::ResidPre, Point::ResidMid, Point::ResidPost}) {
    const HookId id = model_.hooks().id(point, 1);
    RecordingTap donor(model_.hooks(), {id});
    model_.forward(donor_ids, pass(donor));
    RecordingTap patch(model_.hooks(), {id}, [&](HookId, const at::Tensor&) { return donor.values.at(id); });
    EXPECT_TRUE(at::equal(model_.forward(ids_, pass(patch)), donor_logits));
  }
}

}  // namespace
}  // namespace diopter::model
