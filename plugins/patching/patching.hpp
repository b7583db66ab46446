// Kind `patching`: which activations carry what tells a clean prompt from its corrupted twin?
//
// One run patches one site. `over` says what is walked; every table of TransformerLens's patching module is one choice
// of (site, over). Formulas: effect = (patched - base) / (donor - base), of means over prompts.
#pragma once

#include <diopter/plugin.hpp>

#include <string>
#include <vector>

#include "sides.hpp"
#include "spread.hpp"

namespace diopter::patching {

#define DIOPTER_WALKED(PREFIX, SUFFIX)                                                                              \
  PREFIX "layer" SUFFIX "|" PREFIX "layer pos" SUFFIX "|" PREFIX "layer head" SUFFIX "|" PREFIX                     \
         "layer pos head" SUFFIX "|" PREFIX "layer kv_head" SUFFIX "|" PREFIX "layer pos kv_head" SUFFIX "|" PREFIX \
         "layer head dest" SUFFIX "|" PREFIX "layer head dest src" SUFFIX
#define DIOPTER_CELLS DIOPTER_WALKED("metric ", "")

inline constexpr Row kPatchingTable[] = {
    param("site", Choice,
          {.fallback = "'resid_pre'",
           .choices = "resid_pre|resid_mid|resid_post|attn_out|mlp_out|z|q|k|v|pattern",
           .doc = "The activation that is replaced."}),
    param("over", Choice,
          {.fallback = "'layer pos'",
           .choices = "layer|layer pos|layer head|layer pos head|layer head dest|layer head dest src",
           .doc = "What is walked: one cell each; what is not named is replaced as a whole."}),
    param("layers", IntList, {.fallback = "'all'", .index_of = "layer", .doc = "Layers that are patched."}),
    kDirection,
    kReplaceBy,
    param("metrics", MetricList, {.fallback = "['logit_diff']", .doc = "What is read off each run."}),
    kIntervals,
    kBootstrap,
    kKeepPrompts,
    tensor("clean_metric", "metric", {.doc = "Mean over prompts, clean run."}),
    tensor("corrupted_metric", "metric", {.doc = "Mean over prompts, corrupted run."}),
    tensor("value", DIOPTER_CELLS, {.doc = "Mean over prompts of each patched run's metric."}),
    tensor("change", DIOPTER_CELLS,
           {.doc = "value less the base run's, of the same prompts: 0 where nothing happened."}),
    tensor("effect", DIOPTER_CELLS, {.doc = "Normalised: 0 as the base run, 1 as the donor run.", .optional = true}),
    tensor("value_low", DIOPTER_CELLS, {.doc = "Lower end of the interval of value.", .optional = true}),
    tensor("value_high", DIOPTER_CELLS, {.doc = "Upper end of the interval of value.", .optional = true}),
    tensor("change_low", DIOPTER_CELLS, {.doc = "Lower end of the interval of change.", .optional = true}),
    tensor("change_high", DIOPTER_CELLS, {.doc = "Upper end of the interval of change.", .optional = true}),
    tensor("effect_low", DIOPTER_CELLS, {.doc = "Lower end of the interval of effect.", .optional = true}),
    tensor("effect_high", DIOPTER_CELLS, {.doc = "Upper end of the interval of effect.", .optional = true}),
    tensor("per_prompt", DIOPTER_WALKED("metric ", " prompt"),
           {.doc = "Each prompt's metric in each patched run; value is its mean.", .optional = true}),
    tensor("clean_per_prompt", "metric prompt", {.doc = "Each prompt's metric, clean run.", .optional = true}),
    tensor("corrupted_per_prompt", "metric prompt", {.doc = "Each prompt's metric, corrupted run.", .optional = true}),
    figure("map", {.doc = "Effect (or change, where there is no effect) over the walked dimensions."}),
    edits("blocks.*.hook_*", "Replaced at one cell at a time."),
    edits("blocks.*.attn.hook_*", "Replaced at one cell at a time."),
    needs(Need::Pairs),
};

#undef DIOPTER_CELLS
#undef DIOPTER_WALKED

class Patching final : public Analysis {
 public:
  explicit Patching(const Params& params);  // Error for a site that cannot be walked so
  void run(Context& ctx) override;

 private:
  std::vector<Axis> axes(Context& ctx) const;
  Figure figure_of(Text what) const;

  std::string site_, over_;
};

}  // namespace diopter::patching
