#include "neurons.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "attribution.hpp"
#include "candidates.hpp"

namespace diopter::patching {
namespace {

constexpr Index kEnoughForCorrelation = 8;  // neurons
constexpr double kLowCorrelation = 0.5, kManyAbove = 0.1;

std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string group_of(const Candidate& candidate) { return candidate.control ? "control" : "selected"; }

// One metric's results of all candidates, in their order.
struct Exact {
  Tensor values;           // double [candidate, prompt]
  Tensor effect;           // double [candidate]; undefined when not normalised
  Tensor base, donor;      // double [prompt]; donor undefined without one
  Tensor change() const {  // double [candidate]
    return (values - base).nanmean(-1);
  }
};

// One sweep per layer, over its candidates.
std::vector<Exact> patched(Context& ctx, const std::vector<Candidate>& candidates, Sweep sweep) {
  std::map<Index, std::vector<std::size_t>> by_layer;
  for (std::size_t i = 0; i < candidates.size(); ++i) by_layer[candidates[i].layer].push_back(i);
  const auto count = static_cast<Index>(candidates.size());
  std::vector<Exact> out(sweep.metrics.size());
  for (auto& [layer, here] : by_layer) {
    const auto neuron = [&](std::size_t i) { return candidates[i].neuron; };
    std::sort(here.begin(), here.end(), [&](std::size_t a, std::size_t b) { return neuron(a) < neuron(b); });
    Axis axis{"neuron"};
    for (const std::size_t i : here) axis.indices.push_back(neuron(i));
    sweep.hooks = HookSet(post_hook(layer));
    sweep.axes = {axis};
    const Cells cells = ctx.sweep(sweep);
    for (std::size_t m = 0; m < out.size(); ++m) {
      Exact& exact = out[m];
      const auto index = static_cast<Index>(m);
      const Tensor values = cells.values(index), effect = cells.normalised(index);
      exact.base = cells.base(index);
      exact.donor = cells.donor(index);
      if (!exact.values.defined()) exact.values = at::empty({count, values.size(-1)}, at::kDouble);
      if (!exact.effect.defined() && effect.defined()) exact.effect = at::empty({count}, at::kDouble);
      for (std::size_t k = 0; k < here.size(); ++k) {
        const auto to = static_cast<Index>(here[k]), from = static_cast<Index>(k);
        exact.values[to].copy_(values[from]);
        if (effect.defined()) exact.effect[to].copy_(effect[from]);
      }
    }
  }
  return out;
}

// Prompts whose cells have numbers: those with a counterpart in their donor. int64 [n]
Tensor rows_with_values(const std::vector<Exact>& exact) {
  Tensor known = exact.front().values.isnan().logical_not().all(0);
  for (const Exact& one : exact) known = known & one.values.isnan().logical_not().all(0);
  const Tensor rows = known.nonzero().squeeze(1);
  if (rows.numel() == 0) {
    throw Error(
        "no prompt has a number at every patched neuron: none has a counterpart in its donor where the metrics are "
        "read; align the prompts otherwise, or choose `at`.");
  }
  return rows;
}

// All selected neurons in one run.
Edits together(const std::vector<Candidate>& candidates, const Change& change, const Positions& positions) {
  std::map<Index, std::vector<Index>> by_layer;
  for (const Candidate& candidate : candidates) {
    if (!candidate.control) by_layer[candidate.layer].push_back(candidate.neuron);
  }
  Edits edits;
  for (auto& [layer, neurons] : by_layer) {
    std::sort(neurons.begin(), neurons.end());
    edits.at(HookSet(post_hook(layer)), change, {.positions = positions, .neurons = neurons});
  }
  return edits;
}

// Which metric an attribution predicts: the logit difference, or the logit where there is no foil.
std::size_t predicted_metric(const std::vector<Metric>& metrics, const Prompts& rows) {
  const Text name = rows.has("foil") ? "logit_diff" : "logit";
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name() == name; });
  return found == metrics.end() ? metrics.size() : static_cast<std::size_t>(found - metrics.begin());
}

void log_metric(Log& log, Text name, double value) {
  if (!std::isnan(value)) log.metric(name, value);
}

void log_agreement(Log& log, const Agreement& found) {
  log_metric(log, "correlation", found.correlation);
  log_metric(log, "rank_correlation", found.rank_correlation);
  log_metric(log, "control_correlation", found.control_correlation);
  log_metric(log, "control_rank_correlation", found.control_rank_correlation);
  log_metric(log, "control_change", found.control_change);
  log_metric(log, "control_above", found.control_above);
  log.metric("selected_change", found.selected_change);
}

// What a reader of the ranking must know before believing it.
void warn_of_the_ranking(Log& log, const Agreement& found, Index all_neurons) {
  if (found.selected >= kEnoughForCorrelation && found.correlation < kLowCorrelation) {
    log.warn("prefilter", "attribution and exact change of the " + std::to_string(found.selected) +
                              " selected neurons correlate with r = " + three_digits(found.correlation) + " (ranks " +
                              three_digits(found.rank_correlation) +
                              "): what these neurons do goes through later layers or positions, which the ranking "
                              "does not see; raise top, or choose later layers");
  }
  if (found.controls >= kEnoughForCorrelation && found.control_above >= kManyAbove) {
    const auto missed = std::lround(found.control_above * static_cast<double>(all_neurons - found.selected));
    log.warn("prefilter", "of " + std::to_string(found.controls) + " neurons drawn by chance " +
                              three_digits(100 * found.control_above) +
                              " % change the metric at least as much as the median selected one: the ranking misses "
                              "about " +
                              std::to_string(missed) + " of " + std::to_string(all_neurons) + "; raise top");
  }
}

// values: double [prompt] of `rows`, with all selected neurons patched.
void log_joint(Log& log, const Tensor& values, const Exact& exact, const Tensor& rows, Text metric) {
  log.tensor("joint_value", values.mean(), {.metric = metric});
  if (!exact.effect.defined()) return;
  const Tensor base = exact.base.index_select(0, rows), donor = exact.donor.index_select(0, rows);
  log.tensor("joint_effect", (values - base).mean() / (donor - base).mean(), {.metric = metric});
}

void log_tables(Log& log, const std::vector<Candidate>& candidates, const std::vector<Metric>& metrics,
                const std::vector<Exact>& exact, std::size_t compared) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& it = candidates[i];
    const auto at = static_cast<Index>(i);
    log.row("compared", {"L" + std::to_string(it.layer) + " N" + std::to_string(it.neuron), group_of(it),
                         it.attribution, exact[compared].change()[at].item<double>()});
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      log.row("selected", {at, group_of(it), it.layer, it.neuron, it.attribution, std::string(metrics[m].name()),
                           exact[m].values[at].nanmean().item<double>(), exact[m].change()[at].item<double>(),
                           exact[m].effect.defined() ? exact[m].effect[at].item<double>() : kNone});
    }
  }
}

}  // namespace

void Neurons::run(Context& ctx) {
  const Params& params = ctx.params();
  const auto metrics = params.get<std::vector<Metric>>("metrics");
  const auto layers = params.get<std::vector<Index>>("layers");
  const auto replace_by = params.get<std::string>("replace_by");
  const auto at = params.get<Positions>("at");
  const bool direct = params.get<std::string>("score") == "direct";
  const Sides sides(ctx);
  const Spread spread(ctx, sides.base.size());

  const Tensor attribution = direct_attribution(ctx, sides, replace_by, layers, at);
  const std::vector<Candidate> candidates = choose(attribution, layers,
                                                   {.top = params.get<Index>("top"),
                                                    .control = params.get<Index>("control"),
                                                    .score = direct ? Score::Direct : Score::Random},
                                                   ctx.rng("neurons"));

  const Positions where = params.get<std::string>("positions") == "all" ? Positions() : at;
  const Change change = sides.change(replace_by);
  const std::vector<Exact> exact = patched(
      ctx, candidates, {.into = sides.base, .change = change, .metrics = metrics, .where = {.positions = where}});
  const Cells other = ctx.measure(sides.donor, metrics);
  const Tensor rows = rows_with_values(exact);
  const Sides whole = sides.select(rows);
  const Cells joint = ctx.measure(whole.base, metrics, together(candidates, whole.change(replace_by), where));

  Log& log = ctx.log();
  log.tensor("attribution", attribution, {.axes = {{"layer", layers}}});
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const auto index = static_cast<Index>(m);
    const Exact& one = exact[m];
    const Labels labels{.prompts = sides.base, .metric = metrics[m].name(), .axes = {{"candidate"}}};
    spread.log_runs(log, sides, one.base, other.base(index), metrics[m].name());
    log.tensor("value", one.values.nanmean(-1), labels);
    log.tensor("change", one.change(), labels);
    if (one.effect.defined()) log.tensor("effect", one.effect, labels);
    spread.log(log, {one.values, one.base, one.donor, one.effect.defined()}, labels);
    log_joint(log, joint.values(index), one, rows, metrics[m].name());
  }

  const std::size_t predicted = predicted_metric(metrics, sides.base);
  const std::size_t compared = predicted < metrics.size() ? predicted : 0;
  const Agreement found = agreement(candidates, exact[compared].change());
  log_agreement(log, found);
  double share = 0;
  for (const Candidate& candidate : candidates) share += candidate.control ? 0 : std::abs(candidate.attribution);
  log_metric(log, "attribution_share", share / attribution.abs().sum().item<double>());
  if (direct && compared == predicted) warn_of_the_ranking(log, found, attribution.numel());
  log_tables(log, candidates, metrics, exact, compared);
  log.figure("agreement", {.as = "scatter",
                           .of = "compared",
                           .x = "attribution",
                           .y = "change",
                           .colour = "group",
                           .text = "neuron",
                           .title = "Direct attribution and exact change"});
  log.figure("ranking", {.as = "table", .of = "selected"});
}

}  // namespace diopter::patching
