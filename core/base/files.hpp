// Files that are either whole or not there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diopter::base {

// UserError(Usage, "cannot read FILE: reason") when it cannot be read.
std::string read_file(const std::filesystem::path& file);
// Written to a temporary name beside it, fsynced, renamed, directory fsynced. UserError(Store) names file and reason
// (ENOSPC...); what was there before is then untouched and no temporary file is left.
void write_file_atomically(const std::filesystem::path& file, std::string_view bytes);
void sync_file(const std::filesystem::path& file);
void sync_directory(const std::filesystem::path& directory);
void make_directories(const std::filesystem::path& directory);
std::string errno_text(int error);  // "No space left on device"
std::string shell_quoted(std::string_view word);

}  // namespace diopter::base
