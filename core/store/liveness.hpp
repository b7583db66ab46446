// Is the process that wrote a spool still there? Old heartbeats prove nothing; only these facts do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace diopter::store {

struct ProcessIdentity {
  std::string host;
  std::optional<std::string> boot_id;
  std::int64_t pid = 0;
  std::optional<std::int64_t> pid_start;  // /proc/PID/stat, field 22: tells a reused pid
  std::optional<std::int64_t> pid_ns;     // inode of the pid namespace
};

ProcessIdentity this_process();

// "pid_gone" (same host, boot and pid namespace, and the pid is absent, a zombie, or has another start time), "reboot"
// (same host, other boot id), or nothing: perhaps alive.
std::optional<std::string> death_proof(const ProcessIdentity& process);

}  // namespace diopter::store
