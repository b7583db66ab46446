// A file or directory of an analysis comes into the writer's spool directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace diopter::exec {

struct Copied {
  std::int64_t bytes = 0;  // of a directory: of its files together
  std::string sha256;      // of a directory: base::sha256_tree
};

// Moved by a rename where `move` allows and the file system does, else copied; fsynced. `to` does not exist.
// UserError(Store) with the reason; UserError(Failed) when `from` is not there.
Copied bring_payload(const std::filesystem::path& from, const std::filesystem::path& to, bool move);

}  // namespace diopter::exec
