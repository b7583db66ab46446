#include "engine/train_stream.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>

#include "core/engine/train_fixture.hpp"

namespace diopter::engine {
namespace {

std::map<std::vector<Index>, int> rows_of(const std::vector<Batch>& batches) {
  std::map<std::vector<Index>, int> out;
  for (const Batch& batch : batches) {
    for (Index r = 0; r < batch.inputs.size(0); ++r) {
      const at::Tensor row = batch.inputs[r].contiguous();
      std::vector<Index> ids(row.const_data_ptr<Index>(), row.const_data_ptr<Index>() + row.numel());
      while (!ids.empty() && ids.back() < 0) ids.pop_back();
      ++out[ids];
    }
  }
  return out;
}

TEST(TrainStream, GivesEveryDocumentOnceAnEpoch) {
  TrainStream stream(counting_documents(40), {.rows = 8}, generator(1));
  std::map<std::vector<Index>, int> first, second;
  for (int step = 0; step < 5; ++step) {
    for (const auto& [ids, count] : rows_of(stream.next())) first[ids] += count;
  }
  EXPECT_EQ(stream.epoch(), 0);
  for (int step = 0; step < 5; ++step) {
    for (const auto& [ids, count] : rows_of(stream.next())) second[ids] += count;
  }
  EXPECT_EQ(stream.epoch(), 1);
  EXPECT_EQ(first, second);
  int documents = 0;
  for (const auto& [ids, count] : first) documents += count;
  EXPECT_EQ(documents, 40);
}

TEST(TrainStream, WrapsInTheMiddleOfAStep) {
  TrainStream stream(counting_documents(10), {.rows = 8}, generator(1));
  stream.next();
  EXPECT_EQ(stream.epoch(), 0);
  EXPECT_EQ(stream.next().at(0).inputs.size(0), 8);
  EXPECT_EQ(stream.epoch(), 1);
}

TEST(TrainStream, SortsByLengthIntoMicroBatches) {
  TrainStream stream(counting_documents(40), {.rows = 16, .micro_rows = 4}, generator(1));
  const std::vector<Batch> batches = stream.next();
  ASSERT_EQ(batches.size(), 4U);
  Index before = 0;
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.inputs.size(0), 4);
    EXPECT_EQ(batch.inputs.sizes(), batch.targets.sizes());
    EXPECT_TRUE(
        (batch.inputs.ge(0).sum(1) == batch.inputs.size(1)).any().item<bool>());  // padded to the longest of its own
    EXPECT_GE(batch.inputs.size(1), before);
    before = batch.inputs.size(1);
  }
}

TEST(TrainStream, TargetsAreTheNextIdsThatCount) {
  TrainStream stream(counting_documents(40), {.rows = 40}, generator(1));
  const Batch batch = stream.next().at(0);
  for (Index r = 0; r < 40; ++r) {
    for (Index p = 0; p < batch.inputs.size(1); ++p) {
      const Index id = batch.inputs[r][p].item<Index>(), target = batch.targets[r][p].item<Index>();
      if (id < 0 || p == 0) EXPECT_EQ(target, -1);  // padding; position 1 is not counted
      else EXPECT_EQ(target, (id + 1) % 40);
    }
  }
}

TEST(TrainStream, PacksDocumentsToRowsOfOneLength) {
  TrainStream stream(counting_documents(10), {.rows = 2, .length = 10}, generator(1));
  Index ids = 0, targets = 0;
  while (true) {
    const std::vector<Batch> batches = stream.next();
    if (stream.epoch() > 0) break;
    ASSERT_EQ(batches.at(0).inputs.sizes(), (std::vector<Index>{2, 10}));
    EXPECT_TRUE(batches[0].inputs.ge(0).all().item<bool>());
    ids += batches[0].inputs.numel();
    targets += batches[0].targets.ge(0).sum().item<Index>();
  }
  EXPECT_EQ(ids, 60);      // 75 ids: three whole steps
  EXPECT_LT(targets, 60);  // the last id of a document predicts nothing
  EXPECT_GT(targets, 30);
}

TEST(TrainStream, GoesOnFromItsState) {
  for (const Index length : {Index{0}, Index{7}}) {
    const StreamOptions options{.rows = 8, .length = length};
    TrainStream straight(counting_documents(30), options, generator(1)),
        again(counting_documents(30), options, generator(1));
    for (int step = 0; step < 6; ++step) straight.next();
    ASSERT_TRUE(again.restore(straight.state()));
    for (int step = 0; step < 6; ++step) {
      EXPECT_TRUE(at::equal(straight.next().at(0).inputs, again.next().at(0).inputs));
    }
  }
}

TEST(TrainStream, RefusesTheStateOfOtherData) {
  TrainStream stream(counting_documents(30), {.rows = 8}, generator(1)),
      other_order(counting_documents(30), {.rows = 8}, generator(2)),
      other_size(counting_documents(31), {.rows = 8}, generator(1));
  EXPECT_FALSE(other_order.restore(stream.state()));
  EXPECT_FALSE(other_size.restore(stream.state()));
}

TEST(TrainStream, NeedsDocumentsOfTwoIds) {
  const Prompts single = Prompts::tokens(at::ones({2, 1}, at::kLong));
  EXPECT_THROW(TrainStream(single, {.rows = 1}, generator(1)), Error);
  EXPECT_THROW(TrainStream(Prompts::values(at::ones({2, 3, 4})), {.rows = 1}, generator(1)), Error);
}

}  // namespace
}  // namespace diopter::engine
