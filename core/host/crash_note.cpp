#include "host/crash_note.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>

#include "diopter/stamp.hpp"

namespace diopter::host {
namespace {

// A signal handler may touch static memory and call write(), little else.
char crash_text[1024];
volatile std::sig_atomic_t crash_text_size = 0;

const char* signal_name(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    default: return "SIGABRT";
  }
}

void write_error(const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(STDERR_FILENO, text, size);
    if (n <= 0) return;
    text += n;
    size -= static_cast<std::size_t>(n);
  }
}

void handle(int signal) {
  if (crash_text_size > 0) {
    const char* name = signal_name(signal);
    write_error("crashed with ", 13);
    write_error(name, std::strlen(name));
    write_error(crash_text, static_cast<std::size_t>(crash_text_size));
  }
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

void install_crash_handlers() {
  if (std::string_view(DIOPTER_STAMP_SANITIZER) != "none") return;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

CrashNote::CrashNote(std::string_view kind, const std::filesystem::path& file) {
  const std::string text = " inside kind '" + std::string(kind) + "' (" + file.string() + ")\n";
  const std::size_t size = std::min(text.size(), sizeof crash_text);
  std::memcpy(crash_text, text.data(), size);
  crash_text_size = static_cast<std::sig_atomic_t>(size);
}

CrashNote::~CrashNote() { crash_text_size = 0; }

}  // namespace diopter::host
