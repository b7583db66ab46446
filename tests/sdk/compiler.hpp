// Asks the compiler what it thinks of a few lines that include SDK headers.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace diopter::test {

struct Verdict {
  bool compiles = false;
  std::string output;
};

// `mode`: "-fsyntax-only" or "-M". `language`: "c++" or "c".
inline Verdict compile(const std::string& code, const std::string& mode = "-fsyntax-only",
                       const std::string& language = "c++") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() /
      ("diopter-compile-" + std::to_string(::getpid()) + (language == "c" ? ".c" : ".cpp"));
  std::ofstream(file) << code;
  const std::string compiler = language == "c" ? DIOPTER_C_COMPILER " -std=c11" : DIOPTER_CXX_COMPILER " -std=c++20";
  const std::string command =
      compiler + " -Wall -Wextra -Wpedantic -Werror " + mode + " " DIOPTER_SDK_FLAGS " " + file.string() + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  Verdict verdict;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) verdict.output.append(buffer, n);
  verdict.compiles = ::pclose(pipe) == 0;
  std::filesystem::remove(file);
  return verdict;
}

}  // namespace diopter::test
