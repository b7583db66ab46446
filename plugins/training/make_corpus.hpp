// Kind make_corpus: documents, a tokenizer made for them, and held-out prompts.
#pragma once

#include <diopter/context.hpp>
#include <diopter/table.hpp>

namespace training {

inline constexpr diopter::Row kMakeCorpusTable[] = {
    diopter::param("lexicon", diopter::FilePath, {.example = "'lexicon.toml'", .doc = "Word lists and templates."}),
    diopter::param("documents", diopter::Int,
                   {.fallback = "300000", .min = 1, .max = 10'000'000, .doc = "How many documents."}),
    diopter::dataset("documents", {.doc = "The documents; column counted: which ids are targets."}),
    diopter::dataset("heldout",
                     {.doc = "Prompts of combinations that no document has; columns group (the task), answer, foil."}),
    diopter::metric("d_vocab", {.unit = "tokens", .doc = "Size of the vocabulary."}),
    diopter::metric("mean_length",
                    {.unit = "tokens", .doc = "Mean length of a document, with the marks at both ends."}),
    diopter::table("kinds", "row", "kind:text documents:int ids:int counted:int",
                   {.doc = "What the corpus is made of."}),
    diopter::text("samples", {.doc = "The first documents."}),
    diopter::needs(diopter::Need::Training),  // a run without a model
};

class MakeCorpus final : public diopter::Analysis {
  void run(diopter::Context& ctx) override;
};

}  // namespace training
