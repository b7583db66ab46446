// A manifest checked as far as can be without weights: study's own checks, then kinds, models, hook points, tokens.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "exec/kind_library.hpp"
#include "exec/model_facts.hpp"
#include "host/resolve_hooks.hpp"
#include "study/study.hpp"

namespace diopter::exec {

struct CheckedRun {
  const study::Run* run = nullptr;
  host::LoadedKind kind;
  std::shared_ptr<const ModelFacts> model;  // null: the kind trains its own weights
  host::KindHooks hooks;
  // "": the run's prompts; else a parameter's. Data sets that another run makes are not here.
  std::map<std::string, std::shared_ptr<const PromptsData>> prompts;
};

struct CheckedStudy {
  study::Study study;
  std::vector<CheckedRun> runs;  // in the order of execution
};

// Null when there were errors: `problems` has them all. A warning may stand there in any case.
std::unique_ptr<CheckedStudy> check_study(const std::filesystem::path& manifest,
                                          const std::vector<std::string>& overrides, KindLibrary& kinds,
                                          study::Problems& problems);

}  // namespace diopter::exec
