#include "patching.hpp"

#include <ATen/ATen.h>

#include <sstream>

namespace diopter::patching {
namespace {

bool is_stream(Text site) { return site.find("resid") != Text::npos || site.ends_with("_out"); }

// Where every head has keys and values of its own, their heads are the heads.
Labels with_plain_heads(Labels labels, const ModelInfo& info) {
  if (info.n_kv_heads != info.n_heads) return labels;
  for (Axis& axis : labels.axes) axis.name = axis.name == "kv_head" ? "head" : axis.name;
  return labels;
}

}  // namespace

Patching::Patching(const Params& params)
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

void Patching::run(Context& ctx) {
  const auto metrics = ctx.params().get<std::vector<Metric>>("metrics");
  const Sides sides(ctx);
  const Spread spread(ctx, sides.base.size());
  const Cells cells = ctx.sweep({.into = sides.base,
                                 .hooks = HookSet(site_pattern(site_)),
                                 .axes = axes(ctx),
                                 .change = sides.change(ctx.params().get<std::string>("replace_by")),
                                 .metrics = metrics});
  const Cells other = ctx.measure(sides.donor, metrics);
  bool normalised = true;
  for (Index m = 0; m < std::ssize(metrics); ++m) {
    const Labels labels = with_plain_heads(cells.labels(m), ctx.model().info());
    spread.log_runs(ctx.log(), sides, cells.base(m), other.base(m), labels.metric);
    const Tensor value = cells.values(m).nanmean(-1), effect = cells.normalised(m);
    ctx.log().tensor("value", value, labels);
    ctx.log().tensor("change", (cells.values(m) - cells.base(m)).nanmean(-1), labels);
    if (effect.defined()) ctx.log().tensor("effect", effect, labels);
    spread.log(ctx.log(), {cells.values(m), cells.base(m), cells.donor(m), effect.defined()}, labels);
    normalised = normalised && effect.defined();
  }
  ctx.log().figure("map", figure_of(normalised ? "effect" : "change"));
}

std::vector<Axis> Patching::axes(Context& ctx) const {
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

Figure Patching::figure_of(Text what) const {
  Figure map{.as = "heatmap", .of = what, .x = "head", .y = "layer", .facet = "metric", .centre = 0};
  if (over_ == "layer") map.x = "layer", map.y = "", map.as = "bar";
  if (over_ == "layer pos") map.x = "pos";
  if (over_ == "layer pos head") map.x = "pos", map.y = "head", map.facet = "layer", map.slider = "metric";
  if (over_ == "layer head dest") map.x = "dest", map.y = "head", map.facet = "layer", map.slider = "metric";
  if (over_ == "layer head dest src") map.x = "src", map.y = "dest", map.facet = "head", map.slider = "layer";
  return map;
}

}  // namespace diopter::patching
