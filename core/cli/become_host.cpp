#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/installation.hpp"
#include "cli/verbs.hpp"

namespace diopter::cli {

const std::vector<HostVerb>& host_verbs() {
  static const std::vector<HostVerb> verbs = {
      {"run", "Run a manifest"},
      {"check", "Check a manifest; runs nothing"},
      {"hooks", "List the hook points of a model"},
      {"model", "Look at models: info"},
      {"tokenize", "Show the tokens of a text"},
      {"peek", "Run a model once on a text and look inside"},
      {"generate", "Write on from a text"},
  };
  return verbs;
}

void become_host(char** argv) {
  const std::filesystem::path host = base::prefix() / "libexec/diopter/diopter-host";
  // Threads that wait for work by spinning take the processor from those that have it: with another program on the
  // machine a small model then runs a hundred times slower. Read when LibTorch's OpenMP is loaded, hence here.
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  ::execv(host.c_str(), argv);
  throw base::UserError(base::Exit::Refused, fmt::format("cannot start {}: {}", host.string(), base::errno_text(errno)),
                        "build or install the target diopter-host (it needs LibTorch)", "host.missing");
}

}  // namespace diopter::cli
