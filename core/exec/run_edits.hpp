// [[run.edit]] -> the Edits of a run's context.
#pragma once

#include <functional>

#include <diopter/edits.hpp>

#include "exec/model_facts.hpp"
#include "study/problems.hpp"
#include "study/study.hpp"

namespace diopter::exec {

// The tensor of an edit's file: the only one in it, or the one called "value". UserError for a file that is no
// safetensors file, or holds several others.
Tensor edit_tensor(const study::InputFile& file);

// Adds a problem at each value that this run cannot give: prompts it has not, files that cannot be read, tokens that
// are several, positions in text that its kind does not write. `model` may have no tokenizer.
void check_run_edits(const study::Run& run, const ModelFacts& model, study::Problems& problems);

// After check_run_edits found nothing. `prompts`: the run's own, no rows when it has none.
Edits run_edits(const study::Run& run, const Prompts& prompts);

}  // namespace diopter::exec
