#include "engine/length_batches.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include <rapidcheck/gtest.h>

#include <diopter_host/specs.hpp>

#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

using Groups = std::vector<std::vector<Index>>;

Index longest_of(const std::vector<Index>& lengths, const std::vector<Index>& group) {
  Index longest = 0;
  for (const Index place : group) longest = std::max(longest, lengths[static_cast<std::size_t>(place)]);
  return longest;
}

Index padded_positions(const std::vector<Index>& lengths, const std::vector<Index>& group) {
  Index real = 0;
  for (const Index place : group) real += lengths[static_cast<std::size_t>(place)];
  return static_cast<Index>(group.size()) * longest_of(lengths, group) - real;
}

TEST(LengthGroups, AreWhatTheRuleSays) {
  const std::vector<Index> lengths = {10, 3, 10, 4, 9, 3};
  EXPECT_EQ(length_groups(lengths, {.padding = 0, .free_padding = 0}), (Groups{{0, 2}, {1, 5}, {3}, {4}}));
  // 10, 10, 9: 1 of 30 positions; a 4 would make it 7 of 40. 4, 3, 3: 2 of 12.
  EXPECT_EQ(length_groups(lengths, {.padding = 0.17, .free_padding = 0}), (Groups{{0, 2, 4}, {1, 3, 5}}));
  EXPECT_EQ(length_groups(lengths, {.padding = 0.16, .free_padding = 0}), (Groups{{0, 2, 4}, {1, 3}, {5}}));
  EXPECT_EQ(length_groups(lengths, {.padding = 0, .free_padding = 64}), (Groups{{0, 1, 2, 3, 4, 5}}));
  // Two rows of ten positions, four of fewer.
  const auto twenty_positions = [](Index longest) { return 20 / longest; };
  EXPECT_EQ(length_groups(lengths, {.max_rows = twenty_positions, .padding = 1}), (Groups{{0, 2}, {1, 5}, {3, 4}}));
  EXPECT_EQ(length_groups({5, 5}, {.max_rows = [](Index) { return 0; }}), (Groups{{0}, {1}}));
  EXPECT_EQ(length_groups({}, {}), Groups{});
}

RC_GTEST_PROP(LengthGroups, HoldEveryRowOnceInOrderWithinTheBounds, ()) {
  const auto lengths = *rc::gen::container<std::vector<Index>>(rc::gen::inRange<Index>(0, 60));
  const Index most = *rc::gen::inRange<Index>(1, 40), free = *rc::gen::inRange<Index>(0, 100);
  const double padding = *rc::gen::inRange(0, 100) / 100.;
  const Groups groups =
      length_groups(lengths, {.max_rows = [most](Index) { return most; }, .padding = padding, .free_padding = free});
  std::set<Index> seen;
  Index before = -1;
  for (const std::vector<Index>& group : groups) {
    RC_ASSERT(!group.empty() && static_cast<Index>(group.size()) <= most);
    RC_ASSERT(std::is_sorted(group.begin(), group.end()));
    RC_ASSERT(group.front() > before);
    before = group.front();
    for (const Index place : group) {
      const bool fresh = seen.insert(place).second;
      RC_ASSERT(fresh);
    }
    const double size = static_cast<double>(group.size()) * static_cast<double>(longest_of(lengths, group));
    const Index padded = padded_positions(lengths, group);
    RC_ASSERT(padded <= free || static_cast<double>(padded) <= padding * size);
  }
  RC_ASSERT(seen.size() == lengths.size());
  for (const Index place : seen) RC_ASSERT(place >= 0 && place < static_cast<Index>(lengths.size()));
}

std::vector<Index> random_lengths(Index count, Index longest) {
  std::mt19937 random(3);
  std::vector<Index> lengths;
  for (Index i = 0; i < count; ++i)
    lengths.push_back(1 + static_cast<Index>(random() % static_cast<unsigned>(longest)));
  return lengths;
}

TEST(LengthBatches, KnowTheRowsOfTheirCall) {
  Lab lab;
  const std::vector<Index> lengths = random_lengths(300, 12);
  const Prompts rows = random_rows(lengths);
  const at::Tensor ids = rows.inputs(), per_row = at::arange(300) * 10;
  const std::vector<RowBatch> batches = length_batches(rows, lab.info(), {.free_padding = 8});
  at::Tensor gathered = at::zeros({300}, at::kLong);
  Index padded = 0, positions = 0;
  for (const RowBatch& batch : batches) {
    for (Index row = 0; row < batch.size(); ++row) {
      const Index call_row = batch.call_row(row), length = lengths[static_cast<std::size_t>(call_row)];
      EXPECT_EQ(batch.lengths[static_cast<std::size_t>(row)], length);
      EXPECT_TRUE(batch.ids[row].narrow(0, 0, length).equal(ids[call_row].narrow(0, 0, length)));
      EXPECT_EQ(batch.rows.data()->rows[static_cast<std::size_t>(row)].index, call_row);
      padded += batch.longest() - length;
    }
    positions += batch.size() * batch.longest();
    batch.put(gathered, batch.of_call(per_row));
  }
  EXPECT_TRUE(gathered.equal(per_row));
  const Index together = 300 * 12;
  EXPECT_LT(positions, together * 2 / 3);
  printf("300 rows of 1..12 tokens: %zu batches, %lld of %lld positions are padding; in one batch %lld of %lld\n",
         batches.size(), static_cast<long long>(padded), static_cast<long long>(positions),
         static_cast<long long>(together - positions + padded), static_cast<long long>(together));
}

TEST(LengthBatches, OneLengthIsOneConsecutiveBatch) {
  Lab lab;
  const Prompts rows = random_rows({5, 5, 5});
  const std::vector<RowBatch> batches = length_batches(rows, lab.info(), {});
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].first, 0);
  EXPECT_TRUE(batches[0].scattered.empty());
  EXPECT_EQ(batches[0].rows.data(), rows.data());  // the rows themselves, not a copy
}

TEST(LengthBatches, StandBesideTheSameRowsOfADonor) {
  Lab lab;
  const Prompts rows = random_rows({9, 2, 9, 2}), donor = random_rows({9, 2, 9, 2}, 8);
  const std::vector<RowBatch> batches = length_batches(rows, lab.info(), {.free_padding = 0});
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[1].first, kUnset);
  EXPECT_EQ(batches[1].scattered, (std::vector<Index>{1, 3}));
  const RowBatch other = beside(batches[1], donor, lab.info());
  EXPECT_EQ(other.scattered, batches[1].scattered);
  EXPECT_TRUE(other.ids.equal(donor.inputs().index_select(0, ints({1, 3})).narrow(1, 0, 2)));
  EXPECT_THAT(error_of([&] { beside(batches[1], random_rows({9}), lab.info()); }),
              ::testing::HasSubstr("the donor has 1 rows, but they belong one to one to 4 prompts"));
}

TEST(LengthBatches, MistakesNameTheRowOfTheCall) {
  Lab lab;
  at::Tensor ids = padded_ids({9, 2, 9, 2}, 1);
  ids[3][1] = 40;
  EXPECT_THAT(error_of([&] { length_batches(Prompts::tokens(ids), lab.info(), {.free_padding = 0}); }),
              ::testing::HasSubstr("prompt 3 has token 40 at position 1"));
  EXPECT_THAT(error_of([&] { length_batches(Prompts(), lab.info(), {}); }), ::testing::HasSubstr("the set is empty"));
}

// Every way in which a batch takes rows of the call: a donor's rows, tensors and positions per row, captured values,
// means over a set of their own.
TEST(Measure, FiveHundredRowsOfRandomLengthsEqualOneByOne) {
  Lab lab;
  constexpr Index kRows = 500;
  const Prompts pairs = random_pairs(random_lengths(kRows, 12), 1), whole = pairs.corrupted();
  const at::Tensor vectors = at::randn({kRows, lab.info().d_model}, at::detail::createCPUGenerator(1), at::kFloat);
  const at::Tensor places = (whole.lengths() - 1).div(2, "floor");
  const Prompts reference = random_rows({12, 3, 7}, 9);
  const auto edits_of = [&](const at::Tensor& which) {
    const Prompts donor = pairs.clean().select(which);
    const Capture seen = lab.session.capture(donor, "blocks.2.attn.hook_z", {}, {});
    return Edits()
        .at("blocks.0.hook_mlp_out", Change::replace(donor), {.positions = {-1}})
        .at("blocks.1.hook_attn_out", Change::mean(reference))
        .at("blocks.1.hook_resid_post", Change::add(vectors.index_select(0, which), {{0.0, 2.0}}, Per::Row),
            {.positions = Positions::per_row(places.index_select(0, which))})
        .at("blocks.2.attn.hook_z", Change::replace(seen), {.positions = {0}, .heads = {1}});
  };
  const std::vector<Metric> metrics = {Metric::named("logit_diff"), Metric::named("kl_to_clean"),
                                       Metric::named("kl_to_unpatched"), Metric::named("entropy", {0})};
  const int before = lab.monitor.forwards;
  const Cells cells = lab.session.measure(whole, metrics, edits_of(at::arange(kRows)));
  const int forwards = lab.monitor.forwards - before;
  double largest = 0;
  for (Index row = 0; row < kRows; ++row) {
    const at::Tensor which = ints({row});
    const Cells alone = lab.session.measure(whole.select(which), metrics, edits_of(which));
    for (Index m = 0; m < std::ssize(metrics); ++m) {
      const double difference_here = std::max(difference(cells.values(m).select(1, row), alone.values(m).select(1, 0)),
                                              difference(cells.base(m)[row], alone.base(m)[0]));
      EXPECT_LT(difference_here, 5e-5) << metrics[static_cast<std::size_t>(m)].name() << " of row " << row;
      largest = std::max(largest, difference_here);
    }
  }
  EXPECT_EQ(cells.values(0).isnan().sum().item<Index>(), 0);
  const at::Tensor moved = (cells.values(0)[1] - cells.base(0)).abs() > 1e-3;  // the edits do something
  EXPECT_GT(moved.sum().item<Index>(), 470);                                   // in 16 rows the answer is the foil
  EXPECT_LT(forwards, 100);
  printf("500 rows x 2 coefficients x 4 metrics: %d forwards, largest difference %.2g\n", forwards, largest);
}

TEST(Measure, TensorsWithAnEntryPerPositionKeepOneWidth) {
  Lab lab;
  const std::vector<Index> lengths = random_lengths(60, 12);
  const Prompts rows = random_rows(lengths);
  const Index longest = rows.lengths().max().item<Index>();
  const at::Tensor value = at::randn({60, longest, lab.info().d_model}, at::detail::createCPUGenerator(1), at::kFloat);
  const Cells cells = lab.session.measure(rows, {Metric::named("logit_diff")},
                                          Edits().at("hook_embed", Change::add(value, 1.0, Per::Row)));
  for (const Index row : {0, 17, 59}) {
    const at::Tensor mine = value[row].narrow(0, 0, lengths[static_cast<std::size_t>(row)]);
    const Cells alone = lab.session.measure(rows.select(ints({row})), {Metric::named("logit_diff")},
                                            Edits().at("hook_embed", Change::add(mine, 1.0)));
    EXPECT_LT(difference(cells.values()[row], alone.values()[0]), 5e-5);
  }
}

TEST(Measure, AnEditIsUnchangedOnlyWhereNoBatchChanges) {
  Lab lab;
  const Prompts rows = random_rows(random_lengths(200, 12));
  at::Tensor vectors = at::zeros({200, lab.info().d_model});
  lab.session.measure(rows, {Metric::named("logit_diff")},
                      Edits().at("blocks.0.hook_resid_pre", Change::add(vectors, 1.0, Per::Row)));
  ASSERT_EQ(lab.monitor.events.size(), 1u);  // one sentence, however many batches
  EXPECT_EQ(lab.monitor.events[0].second, "edit 1 fired but changed no bit");
  lab.monitor.events.clear();
  vectors[7] = 1;
  lab.session.measure(rows, {Metric::named("logit_diff")},
                      Edits().at("blocks.0.hook_resid_pre", Change::add(vectors, 1.0, Per::Row)));
  EXPECT_TRUE(lab.monitor.events.empty());
}

}  // namespace
}  // namespace diopter::engine::testing
