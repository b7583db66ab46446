#include "exec/hash_cache.hpp"

#include <sys/stat.h>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

std::string key_of(const fs::path& file) {
  struct stat s {};
  if (::stat(file.c_str(), &s) != 0) throw base::UserError(base::Exit::Refused, "cannot read " + file.string());
  return file.string() + "|" + std::to_string(s.st_size) + "|" + std::to_string(s.st_mtim.tv_sec) + "." +
         std::to_string(s.st_mtim.tv_nsec) + "|" + std::to_string(s.st_ino);
}

}  // namespace

HashCache::HashCache(fs::path file, bool rehash) : file_(std::move(file)) {
  std::error_code ignored;
  if (rehash || !fs::exists(file_, ignored)) return;
  const base::Json json = base::Json::parse(base::read_file(file_), nullptr, false);
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string() && value.get_ref<const std::string&>().size() == 64) known_[key] = value;
  }
}

std::string HashCache::of_file(const fs::path& file) {
  const std::string key = key_of(fs::absolute(file));
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  changed_ = true;
  return known_[key] = base::sha256_file(file);
}

std::string HashCache::of_files(const std::vector<fs::path>& files) {
  base::Sha256 tree;
  tree.update("diopter.tree/1\n");
  for (const auto& file : files) {
    tree.update(file.filename().string()).update(std::string_view("\0", 1)).update(of_file(file)).update("\n");
  }
  return tree.hex();
}

void HashCache::save() const {
  if (!changed_) return;
  try {
    base::write_file_atomically(file_, base::plain_json(base::Json(known_)));
  } catch (const base::UserError&) {
    // A cache: without it the next run hashes again. A store that cannot be written is reported by the store itself.
  }
}

}  // namespace diopter::exec
