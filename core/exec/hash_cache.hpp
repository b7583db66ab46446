// SHA-256 of input files, remembered by (path, size, modification time, inode) so that a model is hashed once.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace diopter::exec {

class HashCache {
 public:
  // Kept in `file`; a missing or damaged one is an empty cache. `rehash`: what is there is not believed.
  explicit HashCache(std::filesystem::path file, bool rehash = false);
  std::string of_file(const std::filesystem::path& file);
  // "diopter.tree/1\n" and, for each file: name, NUL, hash, newline; see docs/fingerprints.md.
  std::string of_files(const std::vector<std::filesystem::path>& files);
  void save() const;  // whole or not at all; failing to save costs time later, nothing else

 private:
  std::filesystem::path file_;
  std::map<std::string, std::string> known_;  // "path|size|mtime|inode" -> hash
  bool changed_ = false;
};

}  // namespace diopter::exec
