// What CTest tells a test through its environment.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace diopter::tests {

// The variable's value; run by hand without it, a test says so instead of crashing.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set; run this test through ./dev test -R.");
  return value;
}

inline std::filesystem::path source_folder() { return environment("DIOPTER_SOURCE_DIR"); }
inline std::filesystem::path build_folder() { return environment("DIOPTER_BUILD_DIR"); }

// How many mutants a fuzz test tries: `usual`, times DIOPTER_FUZZ where ./dev fuzz sets it. Longer runs begin with the
// mutants of shorter ones.
inline int fuzz_rounds(int usual) {
  const char* factor = std::getenv("DIOPTER_FUZZ");
  return factor == nullptr ? usual : usual * std::stoi(factor);
}

}  // namespace diopter::tests
