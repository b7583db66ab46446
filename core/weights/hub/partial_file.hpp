// A content on its way into the cache: BLOB.incomplete, which the next pull continues, until place() makes it BLOB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace diopter::hub {

// One process at a time, which is what BlobLock is for. Failures to write are UserError(Store, "hub.disk"); what was
// written before stays.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path file);  // opened at its end, or made
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }
  void append(std::string_view bytes);
  void restart();                                 // empty again
  void place(const std::filesystem::path& blob);  // fsync, rename, fsync of the folder; the object is then done
  void remove();                                  // as if it had never been; the object is then done

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// UserError(Store, "hub.space") when the file system of `folder` has fewer free bytes than `needed`.
void check_free_space(const std::filesystem::path& folder, std::uint64_t needed);

// `link` becomes a relative link to `target`, at once, whatever was there before; its folder is made. Both lie below
// one root. UserError(Store).
void place_link(const std::filesystem::path& link, const std::filesystem::path& target);

}  // namespace diopter::hub
