// Keys and values of earlier positions: cached runs equal full ones.
#include <gtest/gtest.h>

#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

using testing::largest_difference;
using testing::random_ids;
using testing::random_model;
using testing::RecordingTap;

class Cache : public ::testing::Test {
 protected:
  at::Tensor in_steps(KvCache& cache, const std::vector<Index>& steps, const Pass& pass = {}) const {
    std::vector<at::Tensor> logits;
    Index at = 0;
    for (const Index n : steps) {
      logits.push_back(model_.forward(ids_.narrow(1, at, n), pass, {&cache}));
      at += n;
    }
    return at::cat(logits, 1);
  }
  KvCache empty(Index capacity) const { return KvCache(model_.info(), 3, capacity, at::kFloat); }

  c10::InferenceMode no_graph_;
  Transformer model_ = random_model();
  at::Tensor ids_ = random_ids(model_.info(), 3, 11);
  at::Tensor full_ = model_.forward(ids_);
};

TEST_F(Cache, StepsEqualTheFullForward) {
  for (const bool explicit_attention : {false, true}) {
    Pass pass;
    pass.path.explicit_attention = explicit_attention;
    KvCache cache = empty(16);
    EXPECT_LE(largest_difference(in_steps(cache, {5, 1, 1, 3, 1}, pass), full_), 1e-5);
    EXPECT_EQ(cache.length(), 11);
  }
}

TEST_F(Cache, MoreThanTheCapacityCanBeAppended) {
  KvCache cache = empty(4);
  EXPECT_LE(largest_difference(in_steps(cache, {3, 3, 1, 4}), full_), 1e-5);
}

TEST_F(Cache, TruncatedAndGoneOn) {
  KvCache cache = empty(16);
  in_steps(cache, {11});
  cache.truncate(4);
  EXPECT_LE(largest_difference(model_.forward(ids_.narrow(1, 4, 7), {}, {&cache}), full_.narrow(1, 4, 7)), 1e-5);
}

TEST_F(Cache, OneRowsKeysServeABatchAndStayUnchanged) {
  KvCache prefix(model_.info(), 1, 16, at::kFloat);
  const at::Tensor start = ids_.narrow(0, 0, 1).narrow(1, 0, 6);
  model_.forward(start, {}, {&prefix});
  std::vector<KeysValues> shared;
  for (Index l = 0; l < 3; ++l) shared.push_back(prefix.layer(l));
  const at::Tensor before = shared[1].k.clone();
  KvCache cache(shared);
  const at::Tensor rest = ids_.narrow(1, 6, 5);
  const at::Tensor whole = at::cat({start.expand({3, 6}), rest}, 1);
  EXPECT_LE(largest_difference(model_.forward(rest, {}, {&cache}), model_.forward(whole).narrow(1, 6, 5)), 1e-5);
  EXPECT_TRUE(at::equal(shared[1].k, before));
}

TEST_F(Cache, TapsSeeNewKeysAndAllOfThePattern) {
  KvCache cache = empty(16);
  in_steps(cache, {8});
  RecordingTap tap = RecordingTap::all(model_.hooks());
  model_.forward(ids_.narrow(1, 8, 3), {&tap}, {&cache});
  EXPECT_EQ(tap.values.at(model_.hooks().id(Point::K, 1)).sizes(), at::IntArrayRef({3, 3, 4, 5}));
  EXPECT_EQ(tap.values.at(model_.hooks().id(Point::Pattern, 1)).sizes(), at::IntArrayRef({3, 4, 3, 11}));
  RecordingTap whole = RecordingTap::all(model_.hooks());
  model_.forward(ids_, {&whole});
  const HookId pattern = model_.hooks().id(Point::Pattern, 2);
  EXPECT_LE(largest_difference(tap.values.at(pattern), whole.values.at(pattern).narrow(2, 8, 3)), 1e-6);
}

TEST_F(Cache, EditedKeysAreWhatLaterPositionsSee) {
  const HookId id = model_.hooks().id(Point::K, 1);
  const auto edit = [](HookId, const at::Tensor& value) {
    at::Tensor edited = value.clone();
    edited.select(1, 2).neg_();
    return edited;
  };
  RecordingTap whole(model_.hooks(), {id}, edit);
  const at::Tensor expected = model_.forward(ids_, {&whole});
  KvCache cache = empty(16);
  RecordingTap first(model_.hooks(), {id}, edit);
  model_.forward(ids_.narrow(1, 0, 6), {&first}, {&cache});
  EXPECT_LE(largest_difference(model_.forward(ids_.narrow(1, 6, 5), {}, {&cache}), expected.narrow(1, 6, 5)), 1e-5);
}

// Rows of unequal length, one token at a time, each at its own end: every row equals itself alone.
TEST_F(Cache, UnequalRowsGoOnAtTheirOwnEnds) {
  ModelInfo windowed = testing::tiny_info();
  windowed.positions = PositionKind::Rotary;
  windowed.rotary_dims = 4;
  windowed.windows = {0, 3, 5};
  for (const ModelInfo& info : {testing::tiny_info(), windowed}) {
    const Transformer model = random_model(info);
    const std::vector<Index> lengths = {4, 1, 6};
    for (const bool explicit_attention : {false, true}) {
      Pass pass;
      pass.path.explicit_attention = explicit_attention;
      KvCache cache(info, 3, 12, at::kFloat);
      at::Tensor prompts = ids_.narrow(1, 0, 6).clone();
      for (Index row = 0; row < 3; ++row)
        prompts[row]
            .narrow(0, lengths[static_cast<std::size_t>(row)], 6 - lengths[static_cast<std::size_t>(row)])
            .fill_(-1);
      model.forward(prompts, pass, {&cache});
      cache.set_ends(lengths);
      std::vector<Index> rows = {0, 1, 2}, ends = lengths;
      double worst = 0;
      for (int step = 0; step < 5; ++step) {
        if (step == 2) {  // row 0 leaves, the last takes its place
          cache.drop_row(0);
          rows = {2, 1};
          ends = {ends[2], ends[1]};
        }
        const at::Tensor at = at::tensor(at::ArrayRef<Index>(ends), at::kLong).unsqueeze(1);
        const at::Tensor which = at::tensor(at::ArrayRef<Index>(rows), at::kLong);
        const at::Tensor next = ids_.index_select(0, which).gather(1, at);
        const at::Tensor logits = model.forward(next, pass, {&cache, at, AttentionMask::at_positions(at)});
        for (std::size_t i = 0; i < rows.size(); ++i) {
          ++ends[i];
          const at::Tensor alone = model.forward(ids_.narrow(0, rows[i], 1).narrow(1, 0, ends[i]), pass);
          worst = std::max(worst, largest_difference(logits[static_cast<Index>(i)][0], alone[0][ends[i] - 1]));
        }
      }
      EXPECT_LE(worst, 1e-5);
      EXPECT_EQ(cache.ends(), ends);
      EXPECT_EQ(cache.length(), std::max(ends[0], ends[1]));
    }
  }
}

TEST_F(Cache, CopiedRowsGoOnByThemselves) {
  KvCache prompts = empty(5);
  model_.forward(ids_.narrow(1, 0, 5), {}, {&prompts});
  KvCache copies = prompts.rows({2, 0, 0}, 8);
  const at::Tensor next = at::tensor({4, 9, 11}, at::kLong).unsqueeze(1);
  const at::Tensor logits = model_.forward(next, {}, {&copies});
  const at::Tensor whole = at::cat({ids_.index_select(0, at::tensor({2, 0, 0}, at::kLong)).narrow(1, 0, 5), next}, 1);
  EXPECT_LE(largest_difference(logits, model_.forward(whole).narrow(1, 5, 1)), 1e-5);
  EXPECT_EQ(prompts.length(), 5);
  EXPECT_EQ(copies.length(), 6);
}

TEST_F(Cache, RotatedKeysAreShownOnceAndStayEdited) {
  ModelInfo info = testing::tiny_info();
  info.positions = PositionKind::Rotary;
  info.rotary_dims = 4;
  const Transformer model = random_model(info);
  const HookId id = model.hooks().id(Point::RotK, 1);
  const auto edit = [](HookId, const at::Tensor& value) {
    at::Tensor edited = value.clone();
    edited.select(1, 2).neg_();
    return edited;
  };
  RecordingTap whole(model.hooks(), {id}, edit);
  const at::Tensor expected = model.forward(ids_, {&whole});
  KvCache cache(info, 3, 11, at::kFloat);
  RecordingTap first(model.hooks(), {id}, edit), second(model.hooks(), {id});
  model.forward(ids_.narrow(1, 0, 6), {&first}, {&cache});
  EXPECT_LE(largest_difference(model.forward(ids_.narrow(1, 6, 5), {&second}, {&cache}), expected.narrow(1, 6, 5)),
            1e-5);
  EXPECT_EQ(second.values.at(id).sizes(), at::IntArrayRef({3, 5, 4, 5}));  // the new keys
}

}  // namespace
}  // namespace diopter::model
