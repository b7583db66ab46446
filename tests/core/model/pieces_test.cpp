// The pieces give what the whole forward gives; rows of a batch do not influence each other; other dtypes and shapes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

using testing::largest;
using testing::largest_difference;
using testing::random_ids;
using testing::random_model;
using testing::random_parameters;
using testing::RecordingTap;
using testing::tiny_info;

class Pieces : public ::testing::Test {
 protected:
  c10::InferenceMode no_graph_;
  Transformer model_ = random_model();
  at::Tensor ids_ = random_ids(model_.info(), 3, 11);
};

TEST_F(Pieces, TogetherAreTheForward) {
  at::Tensor resid = model_.embed(ids_);
  for (Index l = 0; l < 3; ++l) resid = model_.block(l, resid);
  EXPECT_TRUE(at::equal(resid, model_.residual(ids_)));
  EXPECT_TRUE(at::equal(model_.unembed(model_.final_norm(resid)), model_.forward(ids_)));
}

TEST_F(Pieces, PartsOfABlockGiveItsBits) {
  for (const bool explicit_attention : {false, true}) {
    Pass pass;
    pass.path.explicit_attention = explicit_attention;
    const at::Tensor x = model_.embed(ids_);
    const Qkv qkv = model_.qkv(1, x);
    const at::Tensor z = model_.attend(1, qkv.q, qkv.k, qkv.v, AttentionMask::causal(), pass.path);
    const at::Tensor mid = x + model_.attn_out(1, z);
    EXPECT_TRUE(at::equal(mid + model_.mlp_out(1, mid), model_.block(1, x, pass)));
  }
}

TEST_F(Pieces, NeuronsFollowFromWhatStandsBeforeTheirActivation) {
  ModelInfo gated = tiny_info(), solu = tiny_info();
  gated.gated_mlp = true;
  gated.activation = Activation::Silu;
  solu.activation = Activation::Solu;
  for (const ModelInfo& info : {tiny_info(), gated, solu}) {
    const Transformer model = random_model(info);
    RecordingTap tap = RecordingTap::all(model.hooks());
    model.residual(ids_, {.tap = &tap});
    const auto value = [&](Point point) {
      const HookId id = model.hooks().id(point, 1);
      return id == kNoHook ? at::Tensor() : tap.values.at(id);
    };
    EXPECT_TRUE(at::equal(model.neurons(value(Point::MlpPre), value(Point::MlpPreLinear)), value(Point::MlpPost)));
  }
}

TEST_F(Pieces, PartsTakePackedRows) {
  const at::Tensor x = model_.embed(ids_), rows = x.flatten(0, 1);
  EXPECT_LE(largest_difference(model_.qkv(1, rows).k, model_.qkv(1, x).k.flatten(0, 1)), 1e-6);
  EXPECT_LE(largest_difference(model_.mlp_out(1, rows), model_.mlp_out(1, x).flatten(0, 1)), 1e-6);
  const at::Tensor z = model_.qkv(1, rows).v;
  EXPECT_LE(
      largest_difference(model_.result(1, z).sum(1) + model_.parameters().canonical("b_O", 1), model_.attn_out(1, z)),
      1e-5);
}

TEST_F(Pieces, TokenLogitsAreColumnsOfTheLogits) {
  const at::Tensor normalized = model_.final_norm(model_.residual(ids_)).select(1, 10);  // [row, D]
  const at::Tensor tokens = random_ids(model_.info(), 3, 4, 8);
  EXPECT_LE(largest_difference(model_.token_logits(normalized, tokens), model_.unembed(normalized).gather(1, tokens)),
            1e-5);
}

TEST_F(Pieces, RowsAreIndependentAndPadsInvisible) {
  const at::Tensor logits = model_.forward(ids_);
  at::Tensor padded = at::full({3, 14}, -1, at::kLong);
  padded.narrow(1, 0, 11).copy_(ids_);
  padded[1].narrow(0, 6, 8).fill_(-1);
  const at::Tensor with_pads = model_.forward(padded);
  EXPECT_TRUE(with_pads.isfinite().all().item<bool>());
  EXPECT_LE(largest_difference(with_pads[0].narrow(0, 0, 11), logits[0]), 1e-5);
  EXPECT_LE(largest_difference(with_pads[1].narrow(0, 0, 6), logits[1].narrow(0, 0, 6)), 1e-5);
  EXPECT_LE(largest_difference(model_.forward(ids_.narrow(0, 2, 1))[0], logits[2]), 1e-5);
}

TEST_F(Pieces, LeftPaddingThroughPositionsAndMask) {
  const Index pads = 3;
  at::Tensor padded = at::full({3, 14}, -1, at::kLong);
  padded.narrow(1, pads, 11).copy_(ids_);
  const at::Tensor real = padded.ge(0);  // [batch, pos]
  Rows rows;
  rows.positions = (real.cumsum(1) - 1).clamp_min(0);
  rows.mask = AttentionMask::of(real.view({3, 1, 1, 14}).logical_and(at::ones({14, 14}, at::kBool).tril()));
  for (const bool explicit_attention : {false, true}) {
    Pass pass;
    pass.path.explicit_attention = explicit_attention;
    const at::Tensor logits = model_.forward(padded, pass, rows);  // the pads' rows see nothing at all
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
    EXPECT_LE(largest_difference(logits.narrow(1, pads, 11), model_.forward(ids_)), 1e-5);
  }
}

TEST_F(Pieces, AQueryThatSeesNothingHasZeroPatternAndZ) {
  Rows rows;
  rows.mask = AttentionMask::of(at::ones({11, 11}, at::kBool).tril().index_fill(0, at::full({1}, 4, at::kLong), false));
  RecordingTap fused(model_.hooks(), {model_.hooks().id(Point::Z, 0)});
  RecordingTap all = RecordingTap::all(model_.hooks());
  model_.forward(ids_, {&fused}, rows);
  model_.forward(ids_, {&all}, rows);
  const at::Tensor z = fused.values.begin()->second, z_explicit = all.values.at(model_.hooks().id(Point::Z, 0));
  EXPECT_EQ(largest(z.select(1, 4)), 0);
  EXPECT_LE(largest_difference(z, z_explicit), 1e-5);
  EXPECT_EQ(largest(all.values.at(model_.hooks().id(Point::Pattern, 0)).select(2, 4)), 0);
}

TEST_F(Pieces, AFloat64ModelIsTheLimitOfTheFp32One) {
  const Transformer exact(random_parameters(tiny_info(), 1, at::kDouble));
  const at::Tensor logits = exact.forward(ids_);
  EXPECT_EQ(logits.scalar_type(), at::kDouble);
  EXPECT_LE(largest_difference(logits, model_.forward(ids_)), 1e-5);
}

TEST_F(Pieces, Bfloat16StaysNear) {
  const Transformer rough(random_parameters(tiny_info(), 1, at::kBFloat16));
  const at::Tensor logits = rough.forward(ids_);
  EXPECT_EQ(logits.scalar_type(), at::kBFloat16);
  const double difference = largest_difference(logits, model_.forward(ids_));
  fmt::print("bf16 against fp32, largest difference {:.3g} of {:.3g}\n", difference, largest(logits));
  EXPECT_LE(difference, 0.1 * largest(logits));
  EXPECT_GT(difference, 0);
  RecordingTap all = RecordingTap::all(rough.hooks());
  EXPECT_LE(largest_difference(rough.forward(ids_, {&all}), logits), 0.1 * largest(logits));
}

TEST_F(Pieces, OtherArchitecturesOfTheCanonicalConfiguration) {
  ModelInfo info = tiny_info();
  info.attention_only = true;
  info.positions = PositionKind::None;
  info.tied_embeddings = false;
  info.d_head = 7;  // heads that do not divide d_model
  const Transformer model = random_model(info);
  RecordingTap all = RecordingTap::all(model.hooks());
  const at::Tensor plain = model.forward(ids_);
  EXPECT_LE(largest_difference(plain, model.forward(ids_, {&all})), 1e-5);
  EXPECT_EQ(static_cast<Index>(all.order.size()), model.hooks().size());
  EXPECT_EQ(model.hooks().id(Point::MlpOut, 0), kNoHook);
}

TEST_F(Pieces, OneTokenAndOneRow) {
  const at::Tensor one = ids_.narrow(0, 0, 1).narrow(1, 0, 1);
  EXPECT_LE(largest_difference(model_.forward(one)[0][0], model_.forward(ids_)[0][0]), 1e-5);
}

TEST_F(Pieces, WrongIdsAndLengthsAreRefused) {
  const auto message = [&](const at::Tensor& ids) {
    try {
      model_.forward(ids);
    } catch (const base::UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(at::full({1, 2}, 31, at::kLong)), "expected token ids of 0 to 30 (-1: a pad), got 31");
  EXPECT_EQ(message(at::full({1, 2}, -2, at::kLong)), "expected token ids of 0 to 30 (-1: a pad), got -2");
  EXPECT_EQ(message(at::zeros({1, 17}, at::kLong)), "expected at most 16 positions (the model's n_ctx), got 17");
}

}  // namespace
}  // namespace diopter::model
