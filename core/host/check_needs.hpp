// Step 9: what a kind needs against what its run has.
#pragma once

#include <string>

#include "host/loaded_plugin.hpp"

namespace diopter::host {

struct RunFacts {
  std::string run_id;
  bool has_model = true;
  bool has_tokenizer = true;
  bool has_prompts = true;
  bool has_pairs = false;    // a corrupted text in every row
  bool has_answers = false;  // an answer in every row
  bool has_edits = false;    // [[run.edit]] blocks
};

// PluginError(Needs): pairs, answers, tokenizer, weights, training, edits, grad, generation.
void check_needs(const LoadedKind& kind, const RunFacts& facts);

}  // namespace diopter::host
