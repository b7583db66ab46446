// Runs bin/diopter and keeps what it wrote.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "environment.hpp"

namespace diopter::test {

struct Outcome {
  int exit = -1;
  std::string out, err;
};

// `arguments` is shell text; $DIOPTER is the program. The environment has no colour and no store of its own.
inline Outcome shell(const std::string& arguments) {
  const std::string prefix = diopter::tests::build_folder().string();
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("diopter_out_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  const std::string command = "unset DIOPTER_STORE CLICOLOR_FORCE; export TZ=UTC LC_ALL=C.UTF-8 DIOPTER='" + prefix +
                              "/bin/diopter'; { " + arguments + " ; } >" + out + " 2>" + err + " </dev/null";
  const int status = std::system(("bash -c " + std::string("'") +
                                  [&] {
                                    std::string quoted;
                                    for (const char c : command)
                                      quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
                                    return quoted;
                                  }() +
                                  "'")
                                     .c_str());
  const auto read = [](const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  };
  Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(out), read(err)};
  std::filesystem::remove_all(folder);
  return outcome;
}

}  // namespace diopter::test
