#include "host/host_context.hpp"

#include "base/hints.hpp"

namespace diopter::host {

HostContext::HostContext(const RunInputs& inputs, EngineBackend& engine, Monitor& monitor, LogBackend& log)
    : inputs_(inputs),
      engine_(engine),
      monitor_(monitor),
      params_(inputs.params),
      guarded_(engine, monitor),
      model_(guarded_),
      log_(log) {}

void HostContext::check_declared(std::uint32_t need, const char* asked_for, const char* row) const {
  if (monitor_.kind().needs(need)) return;
  monitor_.refuse("undeclared_need", "kind " + base::quoted(monitor_.kind().name()) + " asked for " + asked_for +
                                         " without saying so in its table; add needs(" + row + ").");
}

const Edits& HostContext::edits() const {
  check_declared(DIOPTER_NEEDS_EDITS, "the run's edits", "Need::Edits");
  return inputs_.edits;
}

const Prompts& HostContext::prompts(Text parameter) const {
  const auto found = inputs_.prompts.find(parameter);
  if (found != inputs_.prompts.end()) return found->second;
  const std::string subject = "kind " + base::quoted(monitor_.kind().name());
  if (parameter.empty())
    throw Error(subject + " asked for prompts, but its run has none; add prompts = \"NAME\" to it");
  std::vector<std::string> known;
  for (const auto& [name, rows] : inputs_.prompts) {
    if (!name.empty()) known.push_back(name);
  }
  throw Error(subject + " asked for the prompts of parameter " + base::quoted(parameter) +
              ", which is no PromptSet of its table" + base::did_you_mean(parameter, known));
}

EngineBackend& HostContext::engine() {
  monitor_.check_thread("Context");
  monitor_.check_stop();
  return engine_;
}

EngineBackend& HostContext::generation_engine() {
  check_declared(DIOPTER_NEEDS_GENERATION, "generation", "Need::Generation");
  return engine();
}

EngineBackend& HostContext::training_engine() {
  check_declared(DIOPTER_NEEDS_TRAINING, "training", "Need::Training");
  return engine();
}

Path HostContext::scratch() {
  monitor_.check_thread("Context::scratch");
  return inputs_.scratch;
}

}  // namespace diopter::host
