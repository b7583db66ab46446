// Kind `neurons`: which neurons of the MLPs carry the difference between two prompts?
//
// A model has too many neurons to patch each one. They are ranked by their direct attribution (attribution.hpp: a few
// forwards), the `top` ones are patched exactly, and so is a `control` group drawn by chance from all others: how well
// the ranking predicts, and what it misses, is measured in the same run.
#pragma once

#include <diopter/plugin.hpp>

#include <string>
#include <vector>

#include "sides.hpp"
#include "spread.hpp"

namespace diopter::patching {

inline constexpr Row kNeuronsTable[] = {
    param("layers", IntList, {.fallback = "'all'", .index_of = "layer", .doc = "Layers whose neurons are ranked."}),
    param("top", Int, {.fallback = "50", .min = 1, .max = 1000000, .doc = "So many neurons are patched exactly."}),
    param("control", Int,
          {.fallback = "20", .min = 0, .max = 1000000, .doc = "So many of the others, drawn by chance, are too."}),
    param("score", Choice,
          {.fallback = "'direct'",
           .choices = "direct|random",
           .doc = "What ranks them: the size of the direct attribution, or chance (the run's seed)."}),
    param("positions", Choice,
          {.fallback = "'read'",
           .choices = "read|all",
           .doc = "Where they are patched: where the metrics are read (`at`), or at all positions at once."}),
    kDirection,
    kReplaceBy,
    param("metrics", MetricList, {.fallback = "['logit_diff']", .doc = "What is read off each run."}),
    kIntervals,
    kBootstrap,
    kKeepPrompts,
    tensor("clean_metric", "metric", {.doc = "Mean over prompts, clean run."}),
    tensor("corrupted_metric", "metric", {.doc = "Mean over prompts, corrupted run."}),
    tensor("attribution", "layer neuron",
           {.unit = "logit",
            .doc = "Direct attribution: change of the logit difference by the direct path, mean over prompts."}),
    table(
        "selected", "row",
        "rank:int group:text layer:int neuron:int attribution:float metric:text value:float change:float effect:float",
        {.doc = "The neurons that were patched: what was predicted and what happened."}),
    table("compared", "row", "neuron:text group:text attribution:float change:float",
          {.doc = "Attribution beside the exact change of the metric it predicts."}),
    tensor("value", "metric candidate",
           {.doc = "Mean over prompts of each patched run's metric; candidates as in selected, by rank."}),
    tensor("change", "metric candidate", {.doc = "value less the base run's."}),
    tensor("effect", "metric candidate",
           {.doc = "Normalised: 0 as the base run, 1 as the donor run.", .optional = true}),
    tensor("value_low", "metric candidate", {.doc = "Lower end of the interval of value.", .optional = true}),
    tensor("value_high", "metric candidate", {.doc = "Upper end of the interval of value.", .optional = true}),
    tensor("change_low", "metric candidate", {.doc = "Lower end of the interval of change.", .optional = true}),
    tensor("change_high", "metric candidate", {.doc = "Upper end of the interval of change.", .optional = true}),
    tensor("effect_low", "metric candidate", {.doc = "Lower end of the interval of effect.", .optional = true}),
    tensor("effect_high", "metric candidate", {.doc = "Upper end of the interval of effect.", .optional = true}),
    tensor("per_prompt", "metric candidate prompt",
           {.doc = "Each prompt's metric in each patched run; value is its mean.", .optional = true}),
    tensor("clean_per_prompt", "metric prompt", {.doc = "Each prompt's metric, clean run.", .optional = true}),
    tensor("corrupted_per_prompt", "metric prompt", {.doc = "Each prompt's metric, corrupted run.", .optional = true}),
    tensor("joint_value", "metric", {.doc = "The metric with all selected neurons patched in one run."}),
    tensor("joint_effect", "metric", {.doc = "The same, normalised as effect.", .optional = true}),
    metric("correlation", {.better = "higher",
                           .doc = "Of attribution and exact change over the selected neurons (Pearson).",
                           .optional = true}),
    metric("rank_correlation", {.better = "higher", .doc = "The same of ranks (Spearman).", .optional = true}),
    metric("control_correlation", {.better = "higher",
                                   .doc = "Of attribution and exact change over the control group (Pearson).",
                                   .optional = true}),
    metric("control_rank_correlation", {.better = "higher", .doc = "The same of ranks (Spearman).", .optional = true}),
    metric("attribution_share",
           {.doc = "Of the sum of all absolute attributions, the part of the selected neurons.", .optional = true}),
    metric("selected_change", {.doc = "Mean absolute change over the selected neurons."}),
    metric("control_change", {.doc = "Mean absolute change over the control group.", .optional = true}),
    metric("control_above",
           {.better = "lower",
            .doc = "Share of the control group that changes the metric at least as much as the median selected neuron.",
            .optional = true}),
    figure("agreement", {.doc = "Attribution against exact change, one point per patched neuron."}),
    figure("ranking", {.doc = "The patched neurons."}),
    edits("blocks.*.mlp.hook_post", "One neuron at a time is replaced; all at once to see what they would become."),
    edits("blocks.*.hook_mlp_out", "Held while all neurons are replaced, so that none is changed by an earlier one."),
    observe("{blocks.*.mlp.hook_post,blocks.*.ln2_post.hook_scale,ln_final.hook_scale}",
            "Activations and the norms' scales, of which the direct path is made."),
    needs(Need::Pairs, Need::Answers, Need::Weights),
};

class Neurons final : public Analysis {
 public:
  void run(Context& ctx) override;
};

}  // namespace diopter::patching
