// What a file of the hub must hash to. Its ETag says it: 64 hex digits are the SHA-256 of the content (large files), 40
// the SHA-1 of git's blob, "blob SIZE\0" and the content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace diopter::hub {

struct ContentHash {
  enum class Kind { Sha256, GitBlob };
  Kind kind = Kind::Sha256;
  std::string hex;
  std::string kind_name() const { return kind == Kind::Sha256 ? "SHA-256" : "git's SHA-1"; }
};

// From an ETag header, with or without quotes and W/. Nothing when it is no such hash.
std::optional<ContentHash> hash_of_etag(std::string_view etag);

// The same kind of hash, of a file here. UserError(Usage) when it cannot be read; an interrupt ends it (interrupted()).
std::string hash_of_file(const std::filesystem::path& file, ContentHash::Kind kind);

}  // namespace diopter::hub
