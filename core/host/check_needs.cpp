#include "host/check_needs.hpp"

#include "base/hints.hpp"

namespace diopter::host {

void check_needs(const LoadedKind& kind, const RunFacts& facts) {
  const std::string subject = "kind " + base::quoted(kind.name()), run = "run " + base::quoted(facts.run_id);
  const auto refuse = [&](const char* code, const std::string& rest) {
    throw PluginError(Stage::Needs, code, subject + " " + rest, kind.about());
  };
  if (kind.needs(DIOPTER_NEEDS_GRAD))
    refuse("grad", "needs gradients, which this Diopter does not offer yet; use a newer one.");
  if (kind.needs(DIOPTER_NEEDS_GENERATION) && !facts.has_model) {
    refuse("generation", "writes on from prompts, but " + run + " has no model; add [model].");
  }
  if (kind.needs(DIOPTER_NEEDS_TRAINING) && facts.has_model) {
    refuse("training", "makes its own weights, but " + run + " has a model; remove it.");
  }
  if (kind.needs(DIOPTER_NEEDS_WEIGHTS) && !facts.has_model) {
    refuse("weights", "needs a model's weights, but " + run + " has no model; add [model].");
  }
  if (kind.needs(DIOPTER_NEEDS_PAIRS) && !facts.has_pairs) {
    refuse("pairs",
           "needs prompt pairs, but " +
               (facts.has_prompts ? "the prompts of " + run + " have no 'corrupted' text; add it to every row."
                                  : run + " has no prompts; add prompts with a 'corrupted' text in every row."));
  }
  if (kind.needs(DIOPTER_NEEDS_ANSWERS) && !facts.has_answers) {
    refuse("answers", "needs answers, but " +
                          (facts.has_prompts ? "the prompts of " + run + " have no 'answer'; add one to every row."
                                             : run + " has no prompts; add prompts with an 'answer' in every row."));
  }
  if (kind.needs(DIOPTER_NEEDS_TOKENIZER) && !facts.has_tokenizer) {
    refuse("tokenizer", "needs a tokenizer, but the model of " + run + " has none; choose another model.");
  }
  if (facts.has_edits && !kind.needs(DIOPTER_NEEDS_EDITS)) {
    refuse("edits", "takes no [[run.edit]] blocks, but " + run + " has some; remove them.");
  }
}

}  // namespace diopter::host
