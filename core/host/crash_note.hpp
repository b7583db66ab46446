// What to say when a plugin crashes the process: "crashed with SIGSEGV inside kind 'lens' (X)".
#pragma once

#include <filesystem>
#include <string_view>

namespace diopter::host {

// Handlers for SIGSEGV, SIGBUS, SIGFPE and SIGABRT that write the note to standard error and raise the signal again.
// Nothing is installed under a sanitizer, which reports better. Once per process.
void install_crash_handlers();

// While it lives, a crash is blamed on this kind. Not nested. [main]
class CrashNote {
 public:
  CrashNote(std::string_view kind, const std::filesystem::path& file);
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;
};

}  // namespace diopter::host
