#include "exec/payload_copy.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

std::int64_t sync_and_count(const fs::path& path) {
  if (!fs::is_directory(path)) {
    base::sync_file(path);
    return static_cast<std::int64_t>(fs::file_size(path));
  }
  std::int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_directory()) {
      base::sync_directory(entry.path());
    } else if (entry.is_regular_file()) {
      base::sync_file(entry.path());
      bytes += static_cast<std::int64_t>(entry.file_size());
    }
  }
  base::sync_directory(path);
  return bytes;
}

}  // namespace

Copied bring_payload(const fs::path& from, const fs::path& to, bool move) {
  std::error_code error;
  if (!fs::exists(from, error)) {
    throw base::UserError(base::Exit::Failed,
                          "cannot keep " + from.string() + ": " + (error ? error.message() : "there is no such file"));
  }
  if (move) fs::rename(from, to, error);
  if (!move || error) {
    error.clear();
    fs::copy(from, to, fs::copy_options::recursive, error);
    if (error) {
      std::error_code ignored;
      fs::remove_all(to, ignored);
      throw base::UserError(base::Exit::Store, "cannot write " + to.string() + ": " + error.message(), {},
                            "spool.write");
    }
  }
  Copied out{.bytes = sync_and_count(to)};
  out.sha256 = fs::is_directory(to) ? base::sha256_tree(to) : base::sha256_file(to);
  base::sync_directory(to.parent_path());
  return out;
}

}  // namespace diopter::exec
