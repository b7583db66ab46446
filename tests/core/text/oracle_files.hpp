// The files that tests/peers/text_oracle.py left.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::text {

inline std::filesystem::path oracle_folder(const std::string& name) {
  const char* root = std::getenv("DIOPTER_ORACLES");
  return std::filesystem::path(root ? root : "oracles") / name;
}

inline bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci && std::string(ci) == "true";
}

inline std::vector<base::Json> read_lines(const std::filesystem::path& file) {
  std::vector<base::Json> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) out.push_back(base::Json::parse(line));
  return out;
}

}  // namespace diopter::text

// Skips, or fails under CI=true, where the oracle has not run.
#define DIOPTER_NEEDS_ORACLE(name)                                                                            \
  if (!std::filesystem::exists(diopter::text::oracle_folder(name) / "DONE")) {                                \
    if (diopter::text::in_ci()) FAIL() << "the oracle '" << (name) << "' has not run, and CI=true";           \
    GTEST_SKIP() << "the oracle '" << (name) << "' has not run ('./dev peers' makes its Python environment)"; \
  }
