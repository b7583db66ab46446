// When texts end, what is kept of them, and what is refused.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "core/engine/support.hpp"
#include "core/engine/text_codec.hpp"

namespace diopter::engine::testing {
namespace {

std::vector<Index> tokens_of(const Generation& got, Index prompt, Index sample = 0) {
  const at::Tensor row =
      got.tokens[prompt][sample].narrow(0, 0, got.lengths[prompt][sample].item<Index>()).contiguous();
  return {row.const_data_ptr<Index>(), row.const_data_ptr<Index>() + row.numel()};
}

std::shared_ptr<const TokenCodec> numbered() {
  std::vector<std::string> tokens;
  for (int id = 0; id < 31; ++id) tokens.push_back(fmt::format("<{}>", id));
  return std::make_shared<BytesCodec>(std::move(tokens));
}

TEST(GenerateEnds, AnEndTokenIsKeptInTheTokensAndNotInTheText) {
  Lab plain({.kind = "trial"}, 3, model::testing::tiny_info(), numbered());
  const Prompts rows = random_rows({2, 5, 3});
  const Generation whole = plain.session.generate(rows, {.max_new_tokens = 8}, {});
  const std::vector<Index> first = tokens_of(whole, 0);
  const Index end = first[3];
  const auto at = static_cast<std::size_t>(std::find(first.begin(), first.end(), end) - first.begin());
  Lab lab({.kind = "trial", .end_tokens = {end}}, 3, model::testing::tiny_info(), numbered());
  const Generation got = lab.session.generate(rows, {.max_new_tokens = 8}, {});
  EXPECT_EQ(got.finish[0], Finish::EndToken);
  EXPECT_EQ(tokens_of(got, 0), std::vector<Index>(first.begin(), first.begin() + static_cast<Index>(at) + 1));
  std::string text;
  for (std::size_t i = 0; i < at; ++i) text += fmt::format("<{}>", first[i]);
  EXPECT_EQ(got.text[0], text);
  // Those that go on are as if nobody had left.
  for (Index row = 1; row < 3; ++row) {
    const std::vector<Index> expected = tokens_of(whole, row), kept = tokens_of(got, row);
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), expected.begin())) << row;
    EXPECT_TRUE(kept.size() == expected.size() || kept.back() == end) << row;
  }
  const Generation on = lab.session.generate(rows, {.max_new_tokens = 8, .at_end_token = AtEndToken::GoOn}, {});
  EXPECT_TRUE(at::equal(on.tokens, whole.tokens));
  EXPECT_EQ(on.finish[0], Finish::Length);
}

TEST(GenerateEnds, AStopStringMaySpanTokensAndBeginInsideOne) {
  Lab lab({.kind = "trial"}, 3, model::testing::tiny_info(), numbered());
  const Prompts rows = random_rows({4});
  const Generation whole = lab.session.generate(rows, {.max_new_tokens = 8}, {});
  const std::vector<Index> ids = tokens_of(whole, 0);
  const std::string stop =
      fmt::format("{}><{}", ids[2] % 10, ids[3]);  // the end of one token, the beginning of the next
  const Generation got = lab.session.generate(rows, {.max_new_tokens = 8, .stop = {stop}}, {});
  EXPECT_EQ(got.finish[0], Finish::StopString);
  EXPECT_EQ(got.text[0], whole.text[0].substr(0, whole.text[0].find(stop)));
  EXPECT_EQ(tokens_of(got, 0), std::vector<Index>(ids.begin(), ids.begin() + got.lengths[0][0].item<Index>()));
  EXPECT_LE(got.lengths[0][0].item<Index>(), 4);
}

TEST(GenerateEnds, PiecesMakeTheText) {
  std::vector<std::string> tokens(31, "ab");
  for (std::size_t id = 0; id < tokens.size(); ++id)
    tokens[id] = std::vector<std::string>{"\xF0\x9F", "\x98\x80", "a", "\xC3", "\xA9", "STOP", "ST", "OP"}[id % 8];
  const auto codec = std::make_shared<BytesCodec>(tokens);
  Lab lab({.kind = "trial"}, 4, model::testing::tiny_info(), codec);
  const Prompts rows = random_rows({2, 5, 3});
  std::map<std::pair<Index, Index>, std::string> pieces;
  std::map<std::pair<Index, Index>, std::vector<Index>> ids;
  const Generation got = lab.session.generate(rows,
                                              {.max_new_tokens = 10,
                                               .temperature = 2,
                                               .stop = {"STOP"},
                                               .seeds = {1, 2, 3, 4, 5},
                                               .on_token =
                                                   [&](const NewToken& token) {
                                                     pieces[{token.prompt, token.sample}] += token.text;
                                                     ids[{token.prompt, token.sample}].push_back(token.token);
                                                   }},
                                              {});
  for (Index row = 0; row < 3; ++row) {
    for (Index sample = 0; sample < 5; ++sample) {
      const std::string& text = got.text[static_cast<std::size_t>(row * 5 + sample)];
      EXPECT_EQ((pieces[{row, sample}]), text);
      EXPECT_EQ((ids[{row, sample}]), tokens_of(got, row, sample));
      EXPECT_EQ(text.find("STOP"), std::string::npos);
    }
  }
}

TEST(GenerateEnds, TheContextEndsATextWithItsLastPrediction) {
  Lab lab;  // 16 positions
  const Generation got = lab.session.generate(random_rows({16, 12}), {.max_new_tokens = 20}, {});
  EXPECT_EQ(got.lengths[0][0].item<Index>(), 1);
  EXPECT_EQ(got.lengths[1][0].item<Index>(), 5);
  EXPECT_EQ(got.finish, (std::vector<Finish>{Finish::Context, Finish::Context}));
}

TEST(GenerateEnds, ASampleDependsOnItsPromptAndSeedAlone) {
  Lab lab({.kind = "trial"}, 5);
  const Prompts rows = random_rows({3, 7, 1, 5});
  const GenerateOptions sampled{
      .max_new_tokens = 8, .top_k = 12, .temperature = 1.5, .top_p = 0.95, .seeds = {4, 9, 2}};
  const Generation all = lab.session.generate(rows, sampled, {});
  std::set<std::vector<Index>> distinct;
  for (Index row = 0; row < 4; ++row) {
    for (Index sample = 0; sample < 3; ++sample) {
      GenerateOptions one = sampled;
      one.seeds = {sampled.seeds[static_cast<std::size_t>(sample)]};
      const Generation alone = lab.session.generate(rows.select(at::tensor({row}, at::kLong)), one, {});
      EXPECT_EQ(tokens_of(alone, 0), tokens_of(all, row, sample)) << row << " " << sample;
      distinct.insert(tokens_of(all, row, sample));
    }
  }
  EXPECT_EQ(distinct.size(), 12u);
}

TEST(GenerateEnds, SmallBatchesGiveTheSameTexts) {
  const ModelInfo info = model::testing::tiny_info();
  // Room for three texts of 5 + 7 positions, keys and values and what is drawn from.
  const Index text = 2 * 3 * 12 * 4 * 5 * 4 + 31 * 20;
  Lab small({.kind = "trial", .memory_budget = 4 * text + 8}, 5), large({.kind = "trial"}, 5);
  const Prompts rows = random_rows({3, 5, 1, 5});
  const GenerateOptions options{.max_new_tokens = 8, .temperature = 1, .seeds = {1, 2, 3, 4, 5}};
  EXPECT_TRUE(
      at::equal(small.session.generate(rows, options, {}).tokens, large.session.generate(rows, options, {}).tokens));
  EXPECT_GT(small.monitor.forwards, 2 * large.monitor.forwards);
  Lab none({.kind = "trial", .memory_budget = 1000}, 5);
  EXPECT_EQ(error_of([&] { none.session.generate(rows, {.max_new_tokens = 8}, {}); }),
            "keys and values of one text of 12 tokens take 6.4 kB, but of the memory budget 0.8 kB are left for them; "
            "generate fewer tokens, or raise memory_budget");
}

TEST(GenerateEnds, WhatHasNoEffectOrMeaningIsRefused) {
  Lab lab({.kind = "trial"}, 3, model::testing::tiny_info(), numbered());
  Lab textless;
  const Prompts rows = random_rows({3, 5});
  const auto error = [&](const GenerateOptions& options, const Edits& edits = {}) {
    return error_of([&] { lab.session.generate(rows, options, edits); });
  };
  const at::Tensor vector = at::ones({20});
  const auto add = [&](Positions positions) {
    return Edits().at("blocks.1.hook_resid_post", Change::add(vector), {.positions = std::move(positions)});
  };
  EXPECT_EQ(error({.max_new_tokens = 0}), "max_new_tokens is 0, where 1 or more is expected; correct it");
  EXPECT_EQ(error({.temperature = -1}), "temperature is -1.0, where 0 (greedy) or more is expected; correct it");
  EXPECT_EQ(error({.temperature = 1, .top_p = 0}),
            "top_p is 0.0, where a number above 0 and up to 1 is expected; correct it");
  EXPECT_EQ(error({.top_k = 5}),
            "top_k and top_p have no effect at temperature 0, where the likeliest token is taken; set a temperature");
  EXPECT_EQ(error({.seeds = {1, 2}}), "samples at temperature 0 are all the same; set a temperature or take one");
  EXPECT_EQ(error({.stop = {""}}), "a stop string is empty and would end every text at once; remove it");
  EXPECT_EQ(error_of([&] { textless.session.generate(rows, {.stop = {"x"}}, {}); }),
            "stop strings need text, but the model has no tokenizer; leave them out");
  EXPECT_EQ(
      error({.max_new_tokens = 1}, add(Positions::generated())),
      "edit 1 of kind 'trial' at 'blocks.1.hook_resid_post' selects positions generated tokens of a 3 token prompt, of "
      "whose continuation the model reads at most 0 tokens, and would never fire; correct the positions.");
  EXPECT_EQ(error({.max_new_tokens = 4}, add({7})),
            "edit 1 of kind 'trial' at 'blocks.1.hook_resid_post' selects positions 7 of a 3 token prompt, of whose "
            "continuation the model reads at most 3 tokens, and would never fire; correct the positions.");
  EXPECT_EQ(error({.max_new_tokens = 6}, add({7})), "no error");
  EXPECT_EQ(error({}, Edits().at("blocks.1.hook_resid_post", Change::freeze())),
            "edit 1 freezes to the unedited run, which has no value at generated positions (it selects all); write "
            "positions = \"prompt\"");
  EXPECT_EQ(error({}, Edits().at("blocks.1.hook_resid_post", Change::replace(random_rows({3, 5}, 8)),
                                 {.positions = Positions::last() | Positions::generated()})),
            "edit 1 takes another run's values, which has no value at generated positions (it selects -1 and generated "
            "tokens); write positions = \"prompt\"");
  EXPECT_EQ(error({}, Edits().at("blocks.1.hook_resid_post", Change::scale(std::vector<double>{1, 2}))),
            "these edits have a list of coefficients or vectors; generate takes one of Edits::cells()");
  EXPECT_EQ(
      error({.max_new_tokens = 9}, Edits().at("blocks.1.hook_resid_post", Change::mean(random_rows({9, 6}, 8)))),
      "the mean at 'blocks.1.hook_resid_post' is asked for position 10, but the longest reference prompt has 9 tokens; "
      "give longer ones, or take the mean over positions");
  EXPECT_EQ(
      error({}, Edits()
                    .at("blocks.1.hook_resid_post", Change::scale(1e38))
                    .at("blocks.2.hook_resid_post", Change::scale(1e38))),
      "the logits of prompt 0 after 0 new tokens are not finite, so no token can be chosen; an edit may be too large");
}

TEST(GenerateEnds, EditsThatChangedNothingOrWereNotReachedAreRecorded) {
  Lab whole({.kind = "trial"}, 3);
  const Prompts rows = random_rows({3});
  const Index first = whole.session.generate(rows, {.max_new_tokens = 1}, {}).tokens.item<Index>();
  Lab lab({.kind = "trial", .end_tokens = {first}}, 3);
  lab.session.generate(rows, {.max_new_tokens = 6},
                       Edits()
                           .at("blocks.1.hook_resid_post", Change::add(at::zeros({20})))
                           .at("blocks.1.hook_resid_post", Change::zero(), {.positions = Positions::generated()})
                           .at("blocks.2.attn.hook_z", Change::scale(1 + 1e-6), {.positions = Positions::last()}));
  using Events = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(lab.monitor.events,
            (Events{{"edit-unchanged", "edit 1 fired but changed no bit"},
                    {"edit-not-reached", "edit 2 never fired: every text ended before its positions"}}));
}

TEST(GenerateEnds, AnInterruptStopsAtTheNextToken) {
  Lab lab;
  Index seen = 0;
  const GenerateOptions options{.max_new_tokens = 9,
                                .on_token = [&](const NewToken&) { lab.monitor.stop = ++seen == 3; }};
  EXPECT_THROW(lab.session.generate(random_rows({3}), options, {}), Stopped);
  EXPECT_EQ(seen, 3);
}

TEST(GenerateEnds, NothingRunsInsideACallback) {
  Lab lab;
  const Prompts rows = random_rows({3});
  const GenerateOptions options{.on_token = [&](const NewToken&) { lab.session.generate(rows, {}, {}); }};
  EXPECT_EQ(
      error_of([&] { lab.session.generate(rows, options, {}); }),
      "a forward was asked for inside a forward (by an edit, a metric or on_chunk); capture what is needed before");
}

}  // namespace
}  // namespace diopter::engine::testing
