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
      {"tokenize", "Show the tokens of a text"},
      {"peek", "Run a model once on a text and look inside"},
      {"generate", "Write on from a text"},
  };
  return verbs;
}

namespace {

[[noreturn]] void become(const char* program, const char* needs, char** argv) {
  const std::filesystem::path file = base::prefix() / "libexec/diopter" / program;
  ::execv(file.c_str(), argv);
  throw base::UserError(base::Exit::Refused, fmt::format("cannot start {}: {}", file.string(), base::errno_text(errno)),
                        fmt::format("build or install the target {} (it needs {})", program, needs), "host.missing");
}

}  // namespace

void become_host(char** argv) {
  // Threads that wait for work by spinning take the processor from those that have it: with another program on the
  // machine a small model then runs a hundred times slower. Read when LibTorch's OpenMP is loaded, hence here.
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  // oneDNN and LibTorch's layer above it each remember 1,024 shapes of products, some 200 kB a shape; the chunks of a
  // sweep have ever new numbers of rows, so that these memories alone would take hundreds of megabytes beside any
  // budget.
  ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "48", 0);
  ::setenv("LRU_CACHE_CAPACITY", "48", 0);
  become("diopter-host", "LibTorch", argv);
}

void become_pull(char** argv) { become("diopter-pull", "libcurl", argv); }

}  // namespace diopter::cli
