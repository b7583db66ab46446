// Where this diopter lives: the build tree and an install prefix have one layout (bin, libexec, lib, share).
#pragma once

#include <filesystem>

namespace diopter::base {

// The prefix of the running executable: PREFIX/bin/diopter, PREFIX/libexec/diopter/diopter-host and PREFIX/tests/X give
// PREFIX.
std::filesystem::path prefix();
std::filesystem::path executable();
std::filesystem::path share();    // PREFIX/share/diopter
std::filesystem::path plugins();  // PREFIX/lib/diopter/plugins

}  // namespace diopter::base
