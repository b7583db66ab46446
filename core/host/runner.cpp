#include "host/runner.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/hints.hpp"
#include "host/crash_note.hpp"
#include "host/globals.hpp"
#include "host/instance.hpp"
#include "host/log_assembler.hpp"

namespace diopter::host {
namespace {

Outcome failed(Stage stage, const std::string& code, const std::string& message) {
  return {Outcome::Status::Failed, std::string("plugin.") + stage_name(stage) + "." + code, message};
}

Outcome failed(const PluginError& error) { return {Outcome::Status::Failed, error.id(), error.what()}; }

// What run() answered.
Outcome outcome_of(const LoadedKind& kind, int code, const std::string& text, const Monitor& monitor) {
  const std::string subject = "kind " + base::quoted(kind.name());
  switch (code) {
    case DIOPTER_OK: return {};
    case DIOPTER_STOPPED: return {Outcome::Status::Cancelled, "plugin.run.stopped", text};
    case DIOPTER_REFUSED:
      if (const auto known = monitor.code_of(text)) return failed(Stage::Run, *known, text);
      // The engine's sentences say where: "at hook 'blocks.6.hook_resid_pre' (edit 2): it returned ...".
      return failed(Stage::Run, "throws", subject + (text.starts_with("at hook ") ? " failed " : " failed: ") + text);
    case DIOPTER_TORCH: return failed(Stage::Run, "torch", subject + " failed in LibTorch: " + text);
    case DIOPTER_NO_MEMORY: return failed(Stage::Run, "memory", subject + " ran out of memory: " + text);
    case DIOPTER_EXCEPTION:
      return failed(Stage::Run, "throws_std", subject + " threw a C++ exception while it ran: " + text);
    case DIOPTER_NOT_AN_EXCEPTION:
      return failed(Stage::Run, "throws_int",
                    subject + " threw " + text + " while it ran; throw diopter::Error with a sentence instead.");
    default:
      return failed(Stage::Run, "code",
                    subject + " answered with the unknown code " + std::to_string(code) + "; build it again.");
  }
}

// Seeds, switches autograd and puts every global setting back.
class RunSettings {
 public:
  RunSettings(const LoadedKind& kind, std::int64_t seed) : before_(Globals::now()) {
    c10::GradMode::set_enabled(kind.needs(DIOPTER_NEEDS_TRAINING));
    at::manual_seed(static_cast<std::uint64_t>(seed));
    during_ = Globals::now();
  }
  ~RunSettings() { before_.restore(); }
  RunSettings(const RunSettings&) = delete;
  RunSettings& operator=(const RunSettings&) = delete;
  std::vector<std::string> changed() const { return Globals::now().differences(during_); }

 private:
  Globals before_, during_;
};

Outcome check_state(const LoadedKind& kind, const RunSettings& settings, const WeightVersions& weights) {
  const std::string subject = "kind " + base::quoted(kind.name());
  if (const auto changed = settings.changed(); !changed.empty()) {
    return failed(
        Stage::Finish, "globals",
        subject + " changed " + base::join(changed) + " of LibTorch and left it so; restore it before run() returns.");
  }
  if (const auto changed = weights.changed(); !changed.empty()) {
    return failed(Stage::Finish, "weights",
                  subject + " changed " + std::to_string(changed.size()) +
                      " of the model's weights in place; clone() a weight before changing it.");
  }
  return {};
}

Outcome create_and_run(const LoadedKind& kind, HostContext& backend, const Monitor& monitor) {
  const Instance instance(kind, backend.params());
  Context context(backend);
  Status status;
  int code = DIOPTER_OK;
  {
    const CrashNote note(kind.name(), kind.plugin->file);
    code = kind.kind->run(instance.self(), reinterpret_cast<diopter_context*>(&context), &status);
  }
  return outcome_of(kind, code, status.text(), monitor);
}

}  // namespace

Outcome run_analysis(const LoadedKind& kind, const RunInputs& inputs, const RunEngine& with, Monitor& monitor,
                     RecordSink& sink) {
  try {
    PieceFacts facts;
    if (with.has_model) facts.model = &with.engine.model().info();
    if (const auto own = inputs.prompts.find(""); own != inputs.prompts.end()) facts.prompts = own->second;
    LogAssembler log(monitor, sink, facts, inputs.scratch);
    HostContext backend(inputs, with.engine, monitor, log);

    const RunSettings settings(kind, monitor.seed());
    const WeightVersions weights(with.weights);
    const Outcome ran = create_and_run(kind, backend, monitor);
    log.rethrow_sink_error();
    if (ran.status != Outcome::Status::Succeeded) return ran;
    if (Outcome state = check_state(kind, settings, weights); state.status != Outcome::Status::Succeeded) return state;
    log.finish();
    return {};
  } catch (const PluginError& error) {
    return failed(error);
  }
}

}  // namespace diopter::host
