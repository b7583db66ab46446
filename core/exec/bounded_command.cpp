#include "exec/bounded_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

extern char** environ;

namespace diopter::exec {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> child_environment() {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    // GIT_DIR and its kin would make git look elsewhere than in the folder that was asked about.
    if (!entry.starts_with("GIT_") && !entry.starts_with("LC_ALL=")) out.emplace_back(entry);
  }
  out.insert(out.end(), {"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"});
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

pid_t start(std::vector<std::string> argv, const std::filesystem::path& directory, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> environment = child_environment();
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv.front().c_str(), &actions, nullptr, pointers(argv).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

CommandEnd read_until_end(int fd, Clock::time_point deadline, std::size_t most_bytes, std::string& output) {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return CommandEnd::TimedOut;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return CommandEnd::TimedOut;
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return CommandEnd::Exited;
    output.append(buffer.data(), static_cast<std::size_t>(n));
    if (output.size() > most_bytes) return CommandEnd::TooMuchOutput;
  }
}

}  // namespace

CommandResult run_bounded(const std::vector<std::string>& argv, const std::filesystem::path& directory,
                          Clock::time_point deadline, std::size_t most_bytes) {
  CommandResult result;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return result;
  const pid_t pid = start(argv, directory, pipe[1]);
  ::close(pipe[1]);
  if (pid > 0) {
    result.end = read_until_end(pipe[0], deadline, most_bytes, result.output);
    if (result.end != CommandEnd::Exited) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  }
  ::close(pipe[0]);
  return result;
}

}  // namespace diopter::exec
