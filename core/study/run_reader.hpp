// Reads one [[run]]. Private to the room.
#pragma once

#include "study/node.hpp"
#include "study/prompt_sets.hpp"
#include "study/study.hpp"

namespace diopter::study {

struct RunSurroundings {
  const StudyOptions& options;
  const Folder& folder;
  const Node* model_table;     // [model]; nullptr when there is none
  const ModelSettings& model;  // what it says
  PromptSets& prompts;
  Problems& problems;
};

// Always a run, as complete as it could be read; what is wrong with it is in `problems`.
Run read_run(const Node& table, const RunSurroundings& around);

}  // namespace diopter::study
