// What `diopter run` shows: the model, the prompts, each run's result in its place, where everything is.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/progress.hpp"
#include "cli/output.hpp"
#include "exec/run_study.hpp"

namespace diopter::cli {

class RunDisplay {
 public:
  explicit RunDisplay(const CommonFlags& flags);

  void begin(const exec::CheckedStudy& study);
  void start(const exec::CheckedRun& run, std::size_t index, std::size_t of);
  void progress(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra);  // [any]
  void finish(const exec::CheckedRun& run, const exec::ItemReport& item);
  void end(const exec::StudyReport& report);

 private:
  void show_results(const std::string& run_id);
  std::string bold(const std::string& text) const;
  std::string dim(const std::string& text) const;

  const CommonFlags& flags_;
  bool colour_;
  base::Progress progress_;
};

}  // namespace diopter::cli
