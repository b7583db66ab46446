#include "store/payload_files.hpp"

#include <unistd.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "store/spool_format.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

std::string hash_of(const fs::path& path, bool directory) {
  return directory ? base::sha256_tree(path) : base::sha256_file(path);
}

bool is_there(const fs::path& path, bool directory) {
  std::error_code ignored;
  const auto status = fs::symlink_status(path, ignored);
  return directory ? fs::is_directory(status) : fs::is_regular_file(status);
}

[[noreturn]] void fail(const fs::path& to, const std::error_code& error) {
  throw base::UserError(base::Exit::Store, "cannot write " + to.string() + ": " + error.message(), {},
                        "store.artifact");
}

void sync_tree(const fs::path& directory) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) base::sync_file(entry.path());
    else if (entry.is_directory()) base::sync_directory(entry.path());
  }
  base::sync_directory(directory);
}

void copy_across(const Payload& payload) {
  const fs::path temporary = payload.to.string() + ".tmp-" + std::to_string(::getpid());
  std::error_code error;
  fs::remove_all(temporary, error);
  fs::copy(payload.from, temporary, fs::copy_options::recursive, error);
  if (error) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    fail(payload.to, error);
  }
  if (payload.directory) sync_tree(temporary);
  else base::sync_file(temporary);
  fs::rename(temporary, payload.to, error);
  if (error) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    fail(payload.to, error);
  }
  fs::remove_all(payload.from, error);  // a left-over goes with the spool
}

bool has_arrived(const Payload& payload) {
  return is_there(payload.to, payload.directory) && hash_of(payload.to, payload.directory) == payload.sha256;
}

void bring(const Payload& payload) {
  if (!is_there(payload.from, payload.directory))
    throw BadSegment("the file " + payload.from.filename().string() + " is missing");
  if (hash_of(payload.from, payload.directory) != payload.sha256) {
    throw BadSegment("the file " + payload.from.filename().string() + " has another hash than its record says");
  }
  std::error_code error;
  fs::create_directories(payload.to.parent_path(), error);
  if (error) fail(payload.to, error);
  fs::rename(payload.from, payload.to, error);
  if (error == std::errc::cross_device_link) copy_across(payload);
  else if (error) fail(payload.to, error);
  base::sync_directory(payload.to.parent_path());
  base::sync_directory(payload.to.parent_path().parent_path());
}

}  // namespace

fs::path checked_relative(std::string_view path) {
  const fs::path out(path);
  bool good = !path.empty() && path.find('\0') == std::string_view::npos && out.is_relative() && path.back() != '/';
  for (const auto& part : out) good = good && part != ".." && part != "." && !part.empty();
  if (!good) throw BadSegment("a file has the path '" + std::string(path.substr(0, 100)) + "'");
  return out;
}

fs::path artifact_path(std::string_view run_id, std::string_view name) {
  return fs::path("artifacts") / checked_relative(run_id) / checked_relative(name);
}

// Another ingest may take the file away at any moment, also while it is being hashed: what then goes wrong is no
// problem when the file is where it belongs.
void move_payload(const Payload& payload) {
  if (has_arrived(payload)) return;
  try {
    bring(payload);
  } catch (const std::runtime_error&) {
    if (!has_arrived(payload)) throw;
  }
}

}  // namespace diopter::store
