#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/installation.hpp"
#include "cli/verbs.hpp"

namespace diopter::cli {

const std::vector<HostVerb>& host_verbs() {
  static const std::vector<HostVerb> verbs = {
      {"run", "Run a manifest"},
      {"check", "Check a manifest; runs nothing"},
      {"plan", "Show what a manifest would run, and what is stored already"},
      {"hooks", "List the hook points of a model"},
      {"model", "Look at models, fetch them"},
      {"tokenize", "Show the tokens of a text"},
      {"peek", "Run a model once on a text and look inside"},
      {"worker", "Run a share of a plan (started by others)"},
      {"ingest", "Take what workers left in a spool"},
  };
  return verbs;
}

void become_host(char** argv) {
  const std::filesystem::path host = base::prefix() / "libexec/diopter/diopter-host";
  ::execv(host.c_str(), argv);
  throw base::UserError(base::Exit::Refused, fmt::format("cannot start {}: {}", host.string(), base::errno_text(errno)),
                        "build or install the target diopter-host (it needs LibTorch)", "host.missing");
}

}  // namespace diopter::cli
