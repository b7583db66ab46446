#include <gtest/gtest.h>

#include "core/host/fake_elf.hpp"
#include "host/check_needs.hpp"
#include "host/resolve_hooks.hpp"

namespace diopter::host::test {
namespace {

// A kind that is only a table.
struct Table {
  std::vector<diopter_hook> hooks;
  diopter_kind kind{};
  LoadedPlugin plugin;

  explicit Table(const char* name, std::uint32_t needs = 0) {
    kind.name = name;
    kind.needs = needs;
  }
  LoadedKind loaded() {
    kind.hooks = hooks.data();
    kind.hook_count = static_cast<std::uint32_t>(hooks.size());
    kind.hook_size = sizeof(diopter_hook);
    return {&plugin, &kind};
  }
};

HookTable two_layers() {
  ModelInfo info;
  info.name = "tiny";
  info.family = "gpt2";
  info.n_layers = 2;
  info.n_heads = info.n_kv_heads = 2;
  info.d_model = 8;
  info.d_head = 4;
  info.d_mlp = 16;
  info.d_vocab = 11;
  info.n_ctx = 16;
  return HookTable(info);
}

TEST(CheckNeeds, SaysWhatIsMissing) {
  struct Case {
    std::uint32_t need;
    RunFacts facts;
    const char* code;
    const char* sentence;
  };
  const Case cases[] = {
      {DIOPTER_NEEDS_PAIRS,
       {.run_id = "resid"},
       "pairs",
       "kind 'k' needs prompt pairs, but the prompts of run 'resid' have no 'corrupted' text; add it to every row."},
      {DIOPTER_NEEDS_PAIRS,
       {.run_id = "resid", .has_prompts = false},
       "pairs",
       "kind 'k' needs prompt pairs, but run 'resid' has no prompts; add prompts with a 'corrupted' text in every "
       "row."},
      {DIOPTER_NEEDS_ANSWERS,
       {.run_id = "r"},
       "answers",
       "kind 'k' needs answers, but the prompts of run 'r' have no 'answer'; add one to every row."},
      {DIOPTER_NEEDS_TOKENIZER,
       {.run_id = "r", .has_tokenizer = false},
       "tokenizer",
       "kind 'k' needs a tokenizer, but the model of run 'r' has none; choose another model."},
      {DIOPTER_NEEDS_WEIGHTS,
       {.run_id = "r", .has_model = false},
       "weights",
       "kind 'k' needs a model's weights, but run 'r' has no model; add [model]."},
      {DIOPTER_NEEDS_TRAINING,
       {.run_id = "r"},
       "training",
       "kind 'k' makes its own weights, but run 'r' has a model; remove it."},
      {DIOPTER_NEEDS_GRAD,
       {.run_id = "r"},
       "grad",
       "kind 'k' needs gradients, which this Diopter does not offer yet; use a newer one."},
      {DIOPTER_NEEDS_GENERATION,
       {.run_id = "r", .has_model = false},
       "generation",
       "kind 'k' writes on from prompts, but run 'r' has no model; add [model]."},
      {0,
       {.run_id = "r", .has_edits = true},
       "edits",
       "kind 'k' takes no [[run.edit]] blocks, but run 'r' has some; remove them."}};
  for (const Case& c : cases) {
    Table table("k", c.need);
    const PluginError error = error_of([&] { check_needs(table.loaded(), c.facts); });
    EXPECT_STREQ(error.what(), c.sentence);
    EXPECT_EQ(error.id(), std::string("plugin.needs.") + c.code);
    EXPECT_EQ(error.exit(), base::Exit::Usage);
  }
  Table all("k", DIOPTER_NEEDS_PAIRS | DIOPTER_NEEDS_ANSWERS | DIOPTER_NEEDS_TOKENIZER | DIOPTER_NEEDS_WEIGHTS);
  EXPECT_NO_THROW(check_needs(all.loaded(), {.run_id = "r", .has_pairs = true, .has_answers = true}));
}

TEST(ResolveHooks, SuggestsTheNearestPattern) {
  Table table("logit_lens");
  table.hooks = {{"blocks.*.hook_resid_pst", "Why.", DIOPTER_OBSERVE, 0}};
  const PluginError error = error_of([&] { resolve_hooks(table.loaded(), {}, two_layers(), "gpt2"); });
  EXPECT_STREQ(error.what(),
               "hook 'blocks.*.hook_resid_pst' of kind 'logit_lens' matches no hook point of gpt2 (did you mean "
               "'blocks.*.hook_resid_post'?); 'diopter hooks gpt2' lists them.");
  EXPECT_EQ(error.id(), "plugin.hooks.no_match");
}

TEST(ResolveHooks, FillsPlaceholdersAndSeparatesEditsFromObservations) {
  Table table("k");
  table.hooks = {{"blocks.{layer}.hook_resid_post", "Why.", DIOPTER_OBSERVE, 0}, {"{hook}", "Why.", DIOPTER_EDIT, 0}};
  study::CheckedParam hook;
  hook.name = "hook";
  hook.value = study::HookGlobs{{"blocks.1.attn.hook_z"}};
  const KindHooks hooks = resolve_hooks(table.loaded(), {hook}, two_layers(), "tiny");
  EXPECT_EQ(hooks.observed, (std::set<std::string, std::less<>>{"blocks.0.hook_resid_post", "blocks.1.attn.hook_z",
                                                                "blocks.1.hook_resid_post"}));
  EXPECT_EQ(hooks.edited, (std::set<std::string, std::less<>>{"blocks.1.attn.hook_z"}));
}

TEST(ResolveHooks, RefusesAPlaceholderThatIsNoParameter) {
  Table table("k");
  table.hooks = {{"blocks.{where}.hook_resid_post", "Why.", DIOPTER_OBSERVE, 0}};
  const PluginError error = error_of([&] { resolve_hooks(table.loaded(), {}, two_layers(), "tiny"); });
  EXPECT_STREQ(error.what(),
               "hook 'blocks.{where}.hook_resid_post' of kind 'k' names {where}, which is no parameter of it; correct "
               "its row.");
  EXPECT_EQ(error.id(), "plugin.hooks.placeholder");
}

TEST(ResolveHooks, WithoutNumbersIsWhatARowWouldSay) {
  EXPECT_EQ(without_numbers("blocks.12.attn.hook_z"), "blocks.*.attn.hook_z");
  EXPECT_EQ(without_numbers("hook_embed"), "hook_embed");
}

}  // namespace
}  // namespace diopter::host::test
