// Generation with cached keys against the same text computed anew for every token, row by row and without the engine.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"
#include "core/engine/text_codec.hpp"

namespace diopter::engine::testing {
namespace {

const std::vector<Index> kLengths = {3, 7, 1, 5};

// Rotary positions, shared keys, a window, soft caps: what a step has to get right beyond GPT-2's.
ModelInfo windowed() {
  ModelInfo info = model::testing::tiny_info();
  info.positions = PositionKind::Rotary;
  info.rotary_dims = 4;
  info.n_kv_heads = 2;
  info.windows = {0, 4, 3};
  info.score_softcap = 5;
  info.logit_softcap = 8;
  return info;
}

using HandEdits = std::map<HookId, std::function<at::Tensor(const at::Tensor&)>>;

struct HandText {
  std::vector<Index> tokens;
  std::vector<double> log_probs;
};

// Greedy, the whole text again for every token; `edits` get the length of the prompt.
HandText by_hand(const model::Transformer& model, const at::Tensor& prompt, Index count,
                 const std::function<HandEdits(Index prompt)>& edits = {}) {
  const c10::NoGradGuard no_grad;
  HandText out;
  at::Tensor ids = prompt;
  for (Index i = 0; i < count; ++i) {
    const HandRun run = run_by_hand(model, ids, edits ? edits(prompt.size(1)) : HandEdits{});
    const at::Tensor logits = run.logits.select(0, run.logits.size(0) - 1);
    const at::Tensor best = logits.argmax(-1, true);
    out.tokens.push_back(best.item<Index>());
    out.log_probs.push_back(at::log_softmax(logits.to(at::kDouble), -1)[best.item<Index>()].item<double>());
    ids = at::cat({ids, best.unsqueeze(0)}, 1);
  }
  return out;
}

struct Worst {
  double log_prob = 0;
  Index tokens = 0, different = 0;
  void compare(const HandText& expected, const Generation& got, Index prompt, Index sample = 0) {
    for (std::size_t i = 0; i < expected.tokens.size(); ++i) {
      ++tokens;
      different += got.tokens[prompt][sample][static_cast<Index>(i)].item<Index>() != expected.tokens[i];
      log_prob = std::max(log_prob, std::abs(got.log_probs[prompt][sample][static_cast<Index>(i)].item<double>() -
                                             expected.log_probs[i]));
    }
  }
};

TEST(Generate, UnequalRowsEqualEachRowRecomputed) {
  for (const ModelInfo& info : {model::testing::tiny_info(), windowed()}) {
    Worst worst;
    std::set<Index> seen;
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
      Lab lab({.kind = "trial"}, seed, info);
      const Prompts rows = random_rows(kLengths, seed);
      const Generation got = lab.session.generate(rows, {.max_new_tokens = 9, .log_probs = true}, {});
      EXPECT_EQ(got.tokens.sizes(), at::IntArrayRef({4, 1, 9}));
      for (Index row = 0; row < rows.size(); ++row) {
        const HandText expected = by_hand(*lab.model, row_ids(rows, row), 9);
        worst.compare(expected, got, row);
        seen.insert(expected.tokens.begin(), expected.tokens.end());
      }
    }
    fmt::print("{} tokens ({} distinct), {} different; log-probabilities differ by {:.2g} at most\n", worst.tokens,
               seen.size(), worst.different, worst.log_prob);
    EXPECT_EQ(worst.different, 0);
    EXPECT_LE(worst.log_prob, 1e-5);
    EXPECT_GT(seen.size(), 10u);
  }
}

// ---- edits: positions x change x hook, each done by hand on the whole text

struct PlaceCase {
  const char* name;
  Positions positions;
  std::function<bool(Index pos, Index prompt)> holds;
};
const std::vector<PlaceCase>& places() {
  static const std::vector<PlaceCase> all = {
      {"all", Positions(), [](Index, Index) { return true; }},
      {"prompt", Positions::prompt(), [](Index pos, Index prompt) { return pos < prompt; }},
      {"generated", Positions::generated(), [](Index pos, Index prompt) { return pos >= prompt; }},
      {"last", Positions::last(), [](Index pos, Index prompt) { return pos == prompt - 1; }},
      {"last+generated", Positions::last() | Positions::generated(),
       [](Index pos, Index prompt) { return pos >= prompt - 1; }},
      {"from:4", Positions::from(4), [](Index pos, Index) { return pos >= 4; }},
      {"0 and 8", Positions({0, 8}), [](Index pos, Index) { return pos == 0 || pos == 8; }},
      {"second token and three further", Positions(std::vector<Index>{0}) | Positions::token("c", 1, 3),
       [](Index pos, Index) { return pos == 0 || pos == 3; }}};
  return all;
}

struct ChangeCase {
  const char* name;
  std::function<Change(const at::Tensor& vector)> make;
  std::function<at::Tensor(const at::Tensor& part, const at::Tensor& vector)> by_hand;
};
const std::vector<ChangeCase>& changes() {
  static const std::vector<ChangeCase> all = {
      {"add", [](const at::Tensor& v) { return Change::add(v, 1.5); },
       [](const at::Tensor& part, const at::Tensor& v) { return part + 1.5 * v; }},
      {"scale", [](const at::Tensor&) { return Change::scale(0.3); },
       [](const at::Tensor& part, const at::Tensor&) { return part * 0.3; }},
      {"zero", [](const at::Tensor&) { return Change::zero(); },
       [](const at::Tensor& part, const at::Tensor&) { return at::zeros_like(part); }},
      {"replace", [](const at::Tensor& v) { return Change::replace(v); },
       [](const at::Tensor& part, const at::Tensor& v) { return v.expand_as(part); }},
      {"custom",
       [](const at::Tensor& v) {
         return Change::custom([v](const Tensor& value, const HookPoint&) { return value * 0.5 + v; });
       },
       [](const at::Tensor& part, const at::Tensor& v) { return part * 0.5 + v; }}};
  return all;
}

// The value with its selected positions (dimension 1) changed.
at::Tensor edited(const at::Tensor& value, Index prompt, const PlaceCase& place, const ChangeCase& change,
                  const at::Tensor& vector) {
  at::Tensor out = value.clone();
  for (Index pos = 0; pos < value.size(1); ++pos) {
    if (place.holds(pos, prompt)) out.select(1, pos).copy_(change.by_hand(value.select(1, pos), vector));
  }
  return out;
}

Prompts with_codec(const Prompts& rows, std::shared_ptr<const TokenCodec> codec) {
  auto data = std::make_shared<PromptsData>(*rows.data());
  data->codec = std::move(codec);
  return Prompts(std::shared_ptr<const PromptsData>(std::move(data)));
}

std::shared_ptr<const TokenCodec> letters() {
  std::vector<std::string> tokens;
  for (int id = 0; id < 31; ++id) tokens.emplace_back(1, static_cast<char>('a' + id));
  return std::make_shared<BytesCodec>(std::move(tokens));
}

class GenerateUnderEdits : public ::testing::TestWithParam<const char*> {};

TEST_P(GenerateUnderEdits, EqualsTheEditedWholeTextForEveryToken) {
  std::vector<ModelInfo> infos = {windowed()};
  if (Text(GetParam()).ends_with("resid_post")) infos.push_back(model::testing::tiny_info());
  for (const ModelInfo& info : infos) {
    Lab lab({.kind = "trial"}, 7, info, letters());
    at::Tensor ids = padded_ids(kLengths, 9);
    ids.select(1, 0).fill_(2);  // "c", for the positions named by a token
    const Prompts rows = with_codec(Prompts::tokens(ids), letters());
    Worst worst;
    Index changed = 0;
    for (const HookId id : lab.model->hooks().resolve(HookSet(GetParam()))) {
      const HookPoint& point = lab.model->hooks()[id];
      const std::vector<Index> shape = lab.model->hooks().shape(id, 1, 1);
      const at::Tensor vector =
          at::randn(at::IntArrayRef(shape).slice(2), at::detail::createCPUGenerator(3), at::kFloat);
      for (const PlaceCase& place : places()) {
        for (const ChangeCase& change : changes()) {
          const Edits edits =
              Edits().at(HookSet(std::string(point.name).c_str()), change.make(vector), {.positions = place.positions});
          const Generation got = lab.session.generate(rows, {.max_new_tokens = 7, .log_probs = true}, edits);
          for (Index row = 0; row < rows.size(); ++row) {
            worst.compare(by_hand(*lab.model, row_ids(rows, row), 7,
                                  [&](Index prompt) -> HandEdits {
                                    return {{id, [&, prompt](const at::Tensor& value) {
                                               return edited(value, prompt, place, change, vector);
                                             }}};
                                  }),
                          got, row);
          }
        }
      }
      ++changed;
    }
    fmt::print("{}: {} points, {} tokens, {} different; log-probabilities differ by {:.2g} at most\n", GetParam(),
               changed, worst.tokens, worst.different, worst.log_prob);
    EXPECT_EQ(worst.different, 0);
    EXPECT_LE(worst.log_prob, 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Hooks, GenerateUnderEdits,
                         ::testing::Values("blocks.1.hook_resid_pre", "blocks.{0,2}.hook_resid_post",
                                           "blocks.0.hook_attn_out", "blocks.1.mlp.hook_post",
                                           "blocks.1.attn.hook_{k,z}", "blocks.1.attn.hook_result",
                                           "blocks.1.hook_q_input", "hook_embed", "blocks.2.ln1.hook_normalized",
                                           "ln_final.hook_normalized"),
                         [](const auto& hook) { return fmt::format("{}", hook.index); });

TEST(Generate, EditedRotatedKeysStayForLaterQueries) {
  Lab lab({.kind = "trial"}, 7, windowed());
  const Prompts rows = random_rows(kLengths);
  const HookId id = lab.model->hooks().id(Point::RotK, 1);
  const Edits edits = Edits().at("blocks.1.attn.hook_rot_k", Change::scale(-2.0), {.positions = {0, 6}});
  const Generation got = lab.session.generate(rows, {.max_new_tokens = 9, .log_probs = true}, edits);
  Worst worst;
  for (Index row = 0; row < rows.size(); ++row) {
    worst.compare(by_hand(*lab.model, row_ids(rows, row), 9,
                          [&](Index) -> HandEdits {
                            return {{id, [](const at::Tensor& value) {
                                       at::Tensor out = value.clone();
                                       for (const Index pos : {0, 6}) {
                                         if (pos < value.size(1)) out.select(1, pos).mul_(-2.0);
                                       }
                                       return out;
                                     }}};
                          }),
                  got, row);
  }
  fmt::print("largest difference of a log-probability: {:.2g}\n", worst.log_prob);
  EXPECT_EQ(worst.different, 0);
  EXPECT_LE(worst.log_prob, 1e-5);
}

// Scores and patterns have destinations and sources; keys of rows of unequal length are hidden by their own ends.
TEST(Generate, EditedPatternsHaveAbsoluteDestinationsAndSources) {
  for (const char* hook : {"pattern", "attn_scores"}) {
    Lab lab({.kind = "trial"}, 8, windowed());
    const Prompts rows = random_rows(kLengths);
    const HookId id = lab.model->hooks().id(hook == std::string("pattern") ? Point::Pattern : Point::AttnScores, 1);
    const Edits edits = Edits()
                            .at(HookSet(fmt::format("blocks.1.attn.hook_{}", hook).c_str()), Change::scale(0.25),
                                {.positions = Positions::generated(), .heads = {1}, .sources = Positions({0, 7})})
                            .at(HookSet(fmt::format("blocks.1.attn.hook_{}", hook).c_str()), Change::zero(),
                                {.sources = Positions::generated()});
    const Generation got = lab.session.generate(rows, {.max_new_tokens = 9, .log_probs = true}, edits);
    Worst worst;
    for (Index row = 0; row < rows.size(); ++row) {
      worst.compare(by_hand(*lab.model, row_ids(rows, row), 9,
                            [&](Index prompt) -> HandEdits {
                              return {{id, [prompt, hook](const at::Tensor& value) {  // [1, head, dest, src]
                                         at::Tensor out = value.clone();
                                         const bool scores = hook == std::string("attn_scores");
                                         for (Index dest = 0; dest < value.size(2); ++dest) {
                                           for (Index src = 0; src < value.size(3); ++src) {
                                             at::Tensor cell = out.select(2, dest).select(2, src);  // [1, head]
                                             if (dest >= prompt && (src == 0 || src == 7)) cell.select(1, 1).mul_(0.25);
                                             if (src < prompt) continue;
                                             if (scores && (dest < src || std::isinf(cell.min().item<double>())))
                                               continue;
                                             cell.zero_();
                                           }
                                         }
                                         return out;
                                       }}};
                            }),
                    got, row);
    }
    fmt::print("{}: largest difference of a log-probability: {:.2g}\n", hook, worst.log_prob);
    EXPECT_EQ(worst.different, 0);
    EXPECT_LE(worst.log_prob, 2e-5);
  }
}

TEST(Generate, PromptValuesOfOtherRunsAndMeans) {
  Lab lab({.kind = "trial"}, 9, windowed());
  const std::vector<Index> lengths = {4, 6, 6};
  const Prompts pairs = random_pairs(lengths, 1);
  const Prompts clean = pairs.clean(), corrupted = pairs.corrupted();
  const HookId id = lab.model->hooks().id(Point::ResidPost, 1);
  const Prompts reference = random_rows({14, 13}, 21);
  const at::Tensor sum = at::zeros({14, 20}, at::kDouble), count = at::zeros({14, 1}, at::kDouble);
  for (Index row = 0; row < 2; ++row) {
    const at::Tensor value = run_by_hand(*lab.model, row_ids(reference, row)).values.at(id)[0];
    sum.narrow(0, 0, value.size(0)).add_(value.to(at::kDouble));
    count.narrow(0, 0, value.size(0)).add_(1);
  }
  const at::Tensor mean = (sum / count).to(at::kFloat);

  Worst donor, means;
  const Generation from_donor =
      lab.session.generate(clean, {.max_new_tokens = 8, .log_probs = true},
                           Edits().at("blocks.1.hook_resid_post", Change::replace(corrupted), {.positions = {0, 2}}));
  const Generation from_mean =
      lab.session.generate(clean, {.max_new_tokens = 8, .log_probs = true},
                           Edits().at("blocks.1.hook_resid_post", Change::mean(reference),
                                      {.positions = Positions::last() | Positions::generated()}));
  for (Index row = 0; row < clean.size(); ++row) {
    const at::Tensor other = run_by_hand(*lab.model, row_ids(corrupted, row)).values.at(id);
    donor.compare(by_hand(*lab.model, row_ids(clean, row), 8,
                          [&](Index) -> HandEdits {
                            return {{id, [&](const at::Tensor& value) {
                                       at::Tensor out = value.clone();
                                       for (const Index pos : {0, 2}) out.select(1, pos).copy_(other.select(1, pos));
                                       return out;
                                     }}};
                          }),
                  from_donor, row);
    means.compare(by_hand(*lab.model, row_ids(clean, row), 8,
                          [&](Index prompt) -> HandEdits {
                            return {{id, [&, prompt](const at::Tensor& value) {
                                       at::Tensor out = value.clone();
                                       for (Index pos = prompt - 1; pos < value.size(1); ++pos)
                                         out.select(1, pos).copy_(mean.select(0, pos).unsqueeze(0));
                                       return out;
                                     }}};
                          }),
                  from_mean, row);
  }
  fmt::print("largest difference of a log-probability: donor {:.2g}, mean {:.2g}\n", donor.log_prob, means.log_prob);
  EXPECT_EQ(donor.different + means.different, 0);
  EXPECT_LE(std::max(donor.log_prob, means.log_prob), 1e-5);
}

TEST(Generate, ATensorPerRowAndPositionsPerRowFollowTheirRows) {
  Lab lab({.kind = "trial"}, 10);
  const Prompts rows = random_rows(kLengths);
  const at::Tensor vectors = at::randn({4, 20}, at::detail::createCPUGenerator(5), at::kFloat);
  const at::Tensor at = at::tensor({4, 8, 3, 5}, at::kLong);  // generated positions of rows 0 to 3
  const HookId id = lab.model->hooks().id(Point::ResidPre, 2);
  const Generation got =
      lab.session.generate(rows, {.max_new_tokens = 9, .temperature = 0, .log_probs = true},
                           Edits().at("blocks.2.hook_resid_pre", Change::add(vectors.unsqueeze(1), 2.0, Per::Row),
                                      {.positions = Positions::per_row(at)}));
  Worst worst;
  for (Index row = 0; row < rows.size(); ++row) {
    worst.compare(by_hand(*lab.model, row_ids(rows, row), 9,
                          [&](Index) -> HandEdits {
                            return {{id, [&](const at::Tensor& value) {
                                       at::Tensor out = value.clone();
                                       const Index pos = at[row].item<Index>();
                                       if (pos < value.size(1)) out.select(1, pos).add_(2 * vectors[row]);
                                       return out;
                                     }}};
                          }),
                  got, row);
  }
  EXPECT_EQ(worst.different, 0);
  EXPECT_LE(worst.log_prob, 1e-5);
}

}  // namespace
}  // namespace diopter::engine::testing
