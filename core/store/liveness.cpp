#include "store/liveness.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

namespace diopter::store {
namespace {

struct ProcessState {
  char state = '?';
  std::int64_t start = 0;
};

// The command in field 2 may hold spaces and parentheses: fields are counted from the last ')'.
std::optional<ProcessState> process_state(std::int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text, '\0');  // a process that dies between open and read is a read error, not an exception
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream fields(text.substr(close + 1));
  ProcessState out;
  fields >> out.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  if (!(fields >> out.start)) return {};
  return out;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::optional<std::string> boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!(in >> id)) return {};
  return id;
}

std::optional<std::int64_t> pid_namespace() {
  struct stat info {};
  if (::stat("/proc/self/ns/pid", &info) != 0) return {};
  return static_cast<std::int64_t>(info.st_ino);
}

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity out{
      .host = host_name(), .boot_id = boot_id(), .pid = ::getpid(), .pid_start = {}, .pid_ns = pid_namespace()};
  if (const auto state = process_state(out.pid)) out.pid_start = state->start;
  return out;
}

std::optional<std::string> death_proof(const ProcessIdentity& process) {
  const ProcessIdentity here = this_process();
  if (process.host != here.host || !process.boot_id || !here.boot_id) return {};
  if (process.boot_id != here.boot_id) return "reboot";
  if (!process.pid_ns || process.pid_ns != here.pid_ns || !process.pid_start || !here.pid_start) return {};
  const auto state = process_state(process.pid);
  const bool gone = !state || state->start != *process.pid_start || state->state == 'Z' || state->state == 'X';
  if (gone) return "pid_gone";
  return {};
}

}  // namespace diopter::store
