// my_patching.cpp - where does the stream carry what tells clean from corrupted?
#include <ATen/ATen.h>
#include <diopter/plugin.hpp>

namespace {
using namespace diopter;

constexpr Row kTable[] = {
    param("direction", Choice,
          {.fallback = "'denoise'", .choices = "denoise|noise", .doc = "Clean into corrupted, or back."}),
    param("metrics", MetricList, {.fallback = "['logit_diff']", .doc = "Read off each run."}),
    tensor("clean_metric", "metric", {.doc = "Mean, clean rows."}),
    tensor("corrupted_metric", "metric", {.doc = "Mean, corrupted rows."}),
    tensor("value", "metric layer pos", {.doc = "Mean, patched at one layer and position."}),
    tensor("effect", "metric layer pos", {.doc = "0: as without, 1: as the donor.", .optional = true}),
    figure("map", {.doc = "Effect, layer by position."}),
    edits("blocks.*.hook_resid_pre", "Replaced by the donor's value."),
    needs(Need::Pairs, Need::Answers),
};

class Patching final : public Analysis {
  void run(Context& ctx) override {
    const bool denoise = ctx.params().get<std::string>("direction") == "denoise";
    const Prompts clean = ctx.prompts().clean(), corrupted = ctx.prompts().corrupted();
    const auto metrics = ctx.params().get<std::vector<Metric>>("metrics");
    const Cells cells = ctx.sweep({.into = denoise ? corrupted : clean,
                                   .hooks = "blocks.{layer}.hook_resid_pre",
                                   .axes = {{"layer"}, {"pos"}},
                                   .change = Change::replace(denoise ? clean : corrupted),
                                   .metrics = metrics});
    for (Index m = 0; m < std::ssize(metrics); ++m) {
      const at::Tensor base = cells.base(m).mean(), donor = cells.donor(m).mean(), effect = cells.normalised(m);
      ctx.log().tensor("clean_metric", denoise ? donor : base, {.metric = metrics[m].name()});
      ctx.log().tensor("corrupted_metric", denoise ? base : donor, {.metric = metrics[m].name()});
      ctx.log().tensor("value", cells.values(m).nanmean(-1), cells.labels(m));  // [layer, pos]
      if (effect.defined()) ctx.log().tensor("effect", effect, cells.labels(m));
    }
    ctx.log().figure("map",
                     {.as = "heatmap", .of = "effect", .x = "pos", .y = "layer", .facet = "metric", .centre = 0});
  }
};
}  // namespace

DIOPTER_PLUGIN("org.example.patching", "0.1.0",
               (Patching, "resid_patching", "Patches resid_pre by layer and position.", kTable))
