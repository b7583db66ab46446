// The lexicon that ships, and a corpus of it.
#pragma once

#include <filesystem>

#include "corpus.hpp"
#include "environment.hpp"
#include "lexicon.hpp"

namespace training {

inline std::filesystem::path organism_folder() { return diopter::tests::source_folder() / "experiments" / "organism"; }

inline const Lexicon& lexicon_here() {
  static const Lexicon lexicon = read_lexicon(organism_folder() / "lexicon.toml");
  return lexicon;
}

inline const Corpus& corpus_here() {
  static const Corpus corpus = make_corpus(lexicon_here(), 1, 20'000);
  return corpus;
}

}  // namespace training
