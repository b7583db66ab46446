// The lexicon that ships.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "lexicon.hpp"

namespace training {

inline std::filesystem::path organism_folder() {
  return std::filesystem::path(std::getenv("DIOPTER_SOURCE_DIR")) / "experiments" / "organism";
}

inline const Lexicon& lexicon_here() {
  static const Lexicon lexicon = read_lexicon(organism_folder() / "lexicon.toml");
  return lexicon;
}

}  // namespace training
