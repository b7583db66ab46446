// Where results come from: the machine, the program, the state of the code. Collected once per writer; it must never
// hurt a run, so nothing here throws for a missing tool or a broken repository: what could not be found is left out.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/canonical_json.hpp"
#include "exec/spool_writer.hpp"

namespace diopter::exec {

// A content-addressed fact: `body` is the record, `sha256` its key.
struct Fact {
  std::string sha256;
  Json body;
};

struct LibraryVersions {
  std::string program = {}, build_id = {};
  std::optional<std::string> libtorch, blas;  // given by the host: nothing here links LibTorch
  Json gpu = Json::array();                   // [{"name","driver","compute_capability"}], visible ones
  int threads = 0, interop_threads = 0;
  Json determinism = Json::object();  // flags and the master seed
};

// Machine and program. Nothing that varies between two runs on one machine (pid, time, argv). Of the environment only
// an allow-list: CUDA_VISIBLE_DEVICES OMP_* MKL_* SLURM_JOB_PARTITION DIOPTER_*.
Fact environment_fact(const LibraryVersions& versions);

struct SourceLimits {
  std::chrono::milliseconds time{2000};  // for everything
  std::size_t diff_bytes = 1u << 20;
  std::size_t untracked = 1000;
};

// The repository that holds `folder`: remote without credentials, commit, branch, diff of staged and unstaged changes,
// untracked names and hashes. Beyond a limit `diff_omitted` says why. `build`: version, compiler, flags, libraries.
Fact source_fact(const std::filesystem::path& folder, const Json& build, const SourceLimits& limits = {});

// "https://user:secret@host/x" -> "https://host/x".
std::string without_credentials(const std::string& url);

// Appends the fact and returns its key, for RunStart.
std::string record_fact(SpoolWriter& writer, const std::string& type, const Fact& fact);

}  // namespace diopter::exec
