// A child process that may take only so long and say only so much. For asking git, never for work.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace diopter::exec {

enum class CommandEnd { Exited, TimedOut, TooMuchOutput, NotStarted };

struct CommandResult {
  CommandEnd end = CommandEnd::NotStarted;
  int exit_code = -1;
  std::string output;  // stdout, up to the cap; stderr is dropped
  bool ok() const { return end == CommandEnd::Exited && exit_code == 0; }
};

// argv[0] is looked up in PATH. Killed at the deadline or when the output passes `most_bytes`.
CommandResult run_bounded(const std::vector<std::string>& argv, const std::filesystem::path& directory,
                          std::chrono::steady_clock::time_point deadline, std::size_t most_bytes);

}  // namespace diopter::exec
