// A study from start to end: check, plan, run what is missing, take results into the store, expectations, reports.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "exec/check_study.hpp"
#include "exec/run_item.hpp"
#include "study/expect.hpp"

namespace diopter::exec {

struct ItemReport {
  std::string entry, kind, run_id;
  bool cached = false;  // an earlier run answers it
  ItemOutcome outcome;  // of a run of this invocation
};

struct StudyReport {
  base::Exit exit = base::Exit::Done;
  std::string batch_id;
  std::vector<ItemReport> items;
  std::vector<study::Outcome> expectations;
  std::vector<std::filesystem::path> reports;
  std::vector<std::string> troubles;  // segments that could not be taken, reports that could not be made
  std::size_t left = 0;               // items not done: stopped before them
};

struct StudyRequest {
  std::filesystem::path store;
  std::vector<std::string> argv, overrides;
  bool force = false;  // run again what is stored
  // [main] Called as things happen; both may be empty.
  std::function<void(const CheckedRun&, std::size_t index, std::size_t of)> on_start;
  std::function<void(const CheckedRun&, const ItemReport&)> on_finish;  // its results are in the store
  Recording::Progress progress;                                         // [any]
};

// UserError(Store) when the store cannot be opened or written; what failed inside items is in the report.
StudyReport run_study(const CheckedStudy& study, const StudyRequest& request);

}  // namespace diopter::exec
