// A file mapped read-only into memory; pages are read when touched and shared between processes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>

namespace diopter::base {

class MappedFile {
 public:
  // UserError(Refused) when the file is missing, not a regular file or cannot be mapped. An empty file maps to "".
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const noexcept { return {data_, size_}; }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Gives back the memory of the whole pages in `part` of a mapping; they are read from the file again when touched. Only
// for bytes of a MappedFile: other memory would be lost.
void forget_pages(std::string_view part) noexcept;

}  // namespace diopter::base
