#include "engine/generate_plan.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <diopter/error.hpp>

#include "engine/memory.hpp"
#include "engine/workplace.hpp"

namespace diopter::engine {
namespace {

ForwardPath path_of(Runner& runner, const Edits& edits) {
  // Fused attention: a plain and an edited generation are compared by their texts and log-probabilities, which differ
  // by rounding between kernels. An edit of scores or patterns takes the explicit form where it must.
  ForwardPath path{.kernels = {}};
  for (const HookId id : edited_points(edits, runner.hooks(), runner.monitor())) path.use(runner.hooks().point(id));
  return path;
}

std::vector<Index> seeds_of(const GenerateOptions& options, RunMonitor& monitor) {
  if (!options.seeds.empty()) return options.seeds;
  if (options.temperature == 0) return {0};  // nothing is drawn
  return {at::randint(std::numeric_limits<Index>::max(), {1}, monitor.rng("generate"), at::kLong).item<Index>()};
}

}  // namespace

Index positions_held(Index prompt, const GenerateOptions& options, const ModelInfo& info) {
  return std::max(prompt, std::min(prompt + options.max_new_tokens - 1, info.n_ctx));
}

GeneratePlan generate_plan(Runner& runner, const Prompts& rows, const GenerateOptions& options, const Edits& edits,
                           const TokenCodec* codec, const SessionOptions& session) {
  check(options);
  if (!options.stop.empty() && codec == nullptr)
    throw Error("stop strings need text, but the model has no tokenizer; leave them out");
  if (!edits.axes().empty())
    throw Error("these edits have a list of coefficients or vectors; generate takes one of Edits::cells()");
  GeneratePlan plan{.rule = {.temperature = options.temperature, .top_p = options.top_p, .top_k = options.top_k},
                    .seeds = seeds_of(options, runner.monitor()),
                    .path = path_of(runner, edits)};

  const ModelInfo& info = runner.info();
  const Index budget = memory_budget(session.memory_budget);
  const Index longest = rows.size() == 0 ? 0 : rows.lengths().max().item<Index>();
  const Index positions = positions_held(longest, options, info);
  const auto item = static_cast<Index>(runner.values().dtype().itemsize());
  const Index drawing = info.d_vocab * (item + 2 * static_cast<Index>(sizeof(double)));
  const Index row = 2 * info.n_layers * positions * info.n_kv_heads * info.d_head * item + drawing;
  const Index fit = (budget - budget / 4) / row;
  const auto samples = static_cast<Index>(plan.seeds.size());
  const Index least = samples == 1 ? 1 : 2;  // several samples are copies of what their prompt left
  if (fit < least) {
    throw Error(fmt::format(
        "keys and values of one text of {} tokens take {}, but of the memory budget {} are left for them; generate "
        "fewer tokens, or raise memory_budget",
        positions, bytes_text(least * row), bytes_text(budget - budget / 4)));
  }
  plan.max_forward = rows_that_fit(info, longest, budget);
  plan.max_samples = std::min(samples, samples == 1 ? 1 : fit - 1);
  plan.max_prompts = std::clamp<Index>(fit / (samples == 1 ? 1 : plan.max_samples + 1), 1, plan.max_forward);
  return plan;
}

}  // namespace diopter::engine
