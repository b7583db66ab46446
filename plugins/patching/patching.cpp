// Activation patching: which activations carry what tells a clean prompt from its corrupted twin?
//
// One run patches one site. `over` says what is walked; every table of TransformerLens's patching module is one choice
// of (site, over). Formulas: effect = (patched - base) / (donor - base), of means over prompts.
#include <ATen/ATen.h>
#include <diopter/plugin.hpp>

#include <algorithm>
#include <sstream>

namespace {
using namespace diopter;

#define DIMS(PREFIX)                                                                                               \
  PREFIX "layer|" PREFIX "layer pos|" PREFIX "layer head|" PREFIX "layer pos head|" PREFIX "layer kv_head|" PREFIX \
         "layer pos kv_head|" PREFIX "layer head dest|" PREFIX "layer head dest src"

constexpr Row kTable[] = {
    param("site", Choice,
          {.fallback = "'resid_pre'",
           .choices = "resid_pre|resid_mid|resid_post|attn_out|mlp_out|z|q|k|v|pattern",
           .doc = "The activation that is replaced."}),
    param("over", Choice,
          {.fallback = "'layer pos'",
           .choices = "layer|layer pos|layer head|layer pos head|layer head dest|layer head dest src",
           .doc = "What is walked: one cell each; what is not named is replaced as a whole."}),
    param("layers", IntList, {.fallback = "'all'", .index_of = "layer", .doc = "Layers that are patched."}),
    param("direction", Choice,
          {.fallback = "'denoise'",
           .choices = "denoise|noise",
           .doc = "denoise: clean values into the corrupted run; noise: the other way round."}),
    param("replace_by", Choice,
          {.fallback = "'donor'",
           .choices = "donor|zero|mean",
           .doc = "The other prompt's value, zero, or the mean over the base run's prompts."}),
    param("metrics", MetricList, {.fallback = "['logit_diff']", .doc = "What is read off each run."}),
    tensor("clean_metric", "metric", {.doc = "Mean over prompts, clean run."}),
    tensor("corrupted_metric", "metric", {.doc = "Mean over prompts, corrupted run."}),
    tensor("value", DIMS("metric "), {.doc = "Mean over prompts of each patched run's metric."}),
    tensor("change", DIMS("metric "), {.doc = "value less the base run's mean: 0 where nothing happened."}),
    tensor("effect", DIMS("metric "), {.doc = "Normalised: 0 as the base run, 1 as the donor run.", .optional = true}),
    figure("map", {.doc = "Effect (or change, where there is no effect) over the walked dimensions."}),
    edits("blocks.*.hook_*", "Replaced at one cell at a time."),
    edits("blocks.*.attn.hook_*", "Replaced at one cell at a time."),
    needs(Need::Pairs),
};

bool is_stream(Text site) { return site.find("resid") != Text::npos || site.ends_with("_out"); }

class Patching final : public Analysis {
 public:
  explicit Patching(const Params& params)
      : site_(params.get<std::string>("site")), over_(params.get<std::string>("over")) {
    const bool heads = over_.find("head") != std::string::npos, rows = over_.find("dest") != std::string::npos;
    const auto refuse = [&](const std::string& why, const std::string& instead) {
      throw Error("site '" + site_ + "' cannot be walked over '" + over_ + "': " + why + "; choose " + instead + ".");
    };
    if (is_stream(site_) && heads) refuse("it has no heads", "'layer pos' or 'layer'");
    if (rows && site_ != "pattern") refuse("only a pattern has destinations", "'layer head' or 'layer pos head'");
    if (site_ == "pattern" && over_.find("pos") != std::string::npos) {
      refuse("a pattern has destinations and sources", "'layer head', 'layer head dest' or 'layer head dest src'");
    }
  }

  void run(Context& ctx) override {
    const auto metrics = ctx.params().get<std::vector<Metric>>("metrics");
    const bool denoise = ctx.params().get<std::string>("direction") == "denoise";
    const Prompts clean = ctx.prompts().clean(), corrupted = ctx.prompts().corrupted();
    const Prompts &base = denoise ? corrupted : clean, &donor = denoise ? clean : corrupted;
    const Cells cells = ctx.sweep({.into = base,
                                   .hooks = HookSet(site_pattern(site_)),
                                   .axes = axes(ctx),
                                   .change = change(ctx.params().get<std::string>("replace_by"), base, donor),
                                   .metrics = metrics});
    const Cells other = ctx.measure(donor, metrics);
    bool normalised = true;
    for (Index m = 0; m < std::ssize(metrics); ++m) {
      Labels labels = cells.labels(m);
      if (ctx.model().info().n_kv_heads == ctx.model().info().n_heads) {
        for (Axis& axis : labels.axes) axis.name = axis.name == "kv_head" ? "head" : axis.name;
      }
      const Tensor base_mean = cells.base(m).mean(), donor_mean = other.base(m).mean();
      const Tensor value = cells.values(m).nanmean(-1), effect = cells.normalised(m);
      ctx.log().tensor("clean_metric", denoise ? donor_mean : base_mean, {.metric = metrics[m].name()});
      ctx.log().tensor("corrupted_metric", denoise ? base_mean : donor_mean, {.metric = metrics[m].name()});
      ctx.log().tensor("value", value, labels);
      ctx.log().tensor("change", value - base_mean, labels);
      if (effect.defined()) ctx.log().tensor("effect", effect, labels);
      normalised = normalised && effect.defined();
    }
    ctx.log().figure("map", figure_of(normalised ? "effect" : "change"));
  }

 private:
  std::vector<Axis> axes(Context& ctx) const {
    std::vector<Axis> out;
    std::istringstream words(over_);
    for (std::string word; words >> word;) {
      if (word == "layer") out.push_back({"layer", ctx.params().get<std::vector<Index>>("layers")});
      if (word == "pos") out.push_back({"pos"});
      if (word == "head") out.push_back({site_ == "k" || site_ == "v" ? "kv_head" : "head"});
      if (word == "dest") out.push_back({"dest"});
      if (word == "src") out.push_back({"src"});
    }
    return out;
  }

  static Change change(Text by, const Prompts& base, const Prompts& donor) {
    if (by == "zero") return Change::zero();
    return by == "mean" ? Change::mean(base) : Change::replace(donor);
  }

  Figure figure_of(Text what) const {
    Figure map{.as = "heatmap", .of = what, .x = "head", .y = "layer", .facet = "metric", .centre = 0};
    if (over_ == "layer") map.x = "layer", map.y = "", map.as = "bar";
    if (over_ == "layer pos") map.x = "pos";
    if (over_ == "layer pos head") map.x = "pos", map.y = "head", map.facet = "layer", map.slider = "metric";
    if (over_ == "layer head dest") map.x = "dest", map.y = "head", map.facet = "layer", map.slider = "metric";
    if (over_ == "layer head dest src") map.x = "src", map.y = "dest", map.facet = "head", map.slider = "layer";
    return map;
  }

  std::string site_, over_;
};
}  // namespace

DIOPTER_PLUGIN("org.diopter.patching", "0.1.0",
               (Patching, "patching", "Replaces activations of one run by another's and reads the effect.", kTable))
