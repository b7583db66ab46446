// Who fetches a content: an flock on CACHE/.locks/REPO/ETAG.lock, the one that huggingface_hub takes. The file stays.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace diopter::hub {

class BlobLock {
 public:
  // Waits while another process holds it and that process gets on, which is seen by `blob` and the files "BLOB.*"
  // beside it growing; `patience_seconds` without growth are a UserError(Refused, "hub.locked"). `waiting` is called
  // about ten times a second meanwhile. UserError(Store) where files cannot be locked. An interrupt ends it.
  BlobLock(const std::filesystem::path& file, const std::filesystem::path& blob, int patience_seconds,
           const std::function<void()>& waiting);
  ~BlobLock();
  BlobLock(const BlobLock&) = delete;
  BlobLock& operator=(const BlobLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace diopter::hub
