// What C++ tests need of the Python peers: the folders that oracles wrote, and a peer's verdict on what diopter wrote.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"

namespace diopter::peers {

inline std::filesystem::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

inline bool required() { return variable("CI") == "true"; }

// The folder of an oracle, or "" when it was not run (a failure under CI=true).
inline std::filesystem::path oracle(const std::string& name) {
  const std::filesystem::path folder = variable("DIOPTER_ORACLES") / name;
  if (std::filesystem::exists(folder / "DONE")) return folder;
  if (required()) ADD_FAILURE() << "CI=true, but the oracle '" << name << "' was not run";
  return {};
}
inline std::string missing_oracle(const std::string& name) {
  return "the oracle '" + name + "' was not run (./dev peers makes its Python environment)";
}

enum class Outcome { Done, Failed, NoPython };
inline constexpr const char* kNoPython = "no Python environment .deps/peers-hf (./dev peers makes it)";

// Runs tests/peers/SCRIPT in the transformers environment.
inline Outcome run_python(const std::string& script, const std::vector<std::string>& arguments) {
  const std::filesystem::path source = variable("DIOPTER_SOURCE_DIR");
  const std::filesystem::path python = source / ".deps/peers-hf/bin/python";
  if (!std::filesystem::exists(python)) return required() ? Outcome::Failed : Outcome::NoPython;
  std::string command = "HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1 " + base::shell_quoted(python.string()) + " " +
                        base::shell_quoted((source / "tests/peers" / script).string());
  for (const std::string& argument : arguments) command += " " + base::shell_quoted(argument);
  return std::system(command.c_str()) == 0 ? Outcome::Done : Outcome::Failed;
}

}  // namespace diopter::peers
