// Steps 12 and 13: one analysis, from its parameters to its outcome.
//
//   Monitor monitor(kind, resolve_hooks(...), {.seed = run.seed, .stop = base::interrupted}, sink);
//   engine::Session session(model, monitor, ...);
//   RunInputs inputs{run_params(kind, run.params, tensors), {{"", prompts}}, edits, scratch};
//   const Outcome outcome = run_analysis(kind, inputs, {&session, weights}, monitor, sink);
#pragma once

#include <string>
#include <vector>

#include "host/host_context.hpp"
#include "host/loaded_plugin.hpp"
#include "host/monitor.hpp"
#include "host/record_sink.hpp"

namespace diopter::host {

// What the run works with. `weights` are compared before and after; empty for runs that make their own.
struct RunEngine {
  EngineBackend& engine;
  std::vector<at::Tensor> weights = {};
  bool has_model = true;
};

struct Outcome {
  enum class Status { Succeeded, Failed, Cancelled };
  Status status = Status::Succeeded;
  std::string error_id;  // "plugin.run.throws"; "" when succeeded
  std::string message;   // one sentence
};

// Creates the analysis, runs and destroys it, checks its outputs, LibTorch's global settings (restored) and the
// weights. Autograd is off unless the kind needs training; the default generator is seeded with the run's seed. Throws
// only what is not the plugin's fault (a failing sink, a broken invariant). [main] of `monitor`
Outcome run_analysis(const LoadedKind& kind, const RunInputs& inputs, const RunEngine& with, Monitor& monitor,
                     RecordSink& sink);

}  // namespace diopter::host
