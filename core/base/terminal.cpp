#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace diopter::base {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::optional<ColourChoice> colour_choice(std::string_view word) {
  if (word == "auto") return ColourChoice::Auto;
  if (word == "always") return ColourChoice::Always;
  if (word == "never") return ColourChoice::Never;
  return std::nullopt;
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool use_colour(ColourChoice choice, int fd) {
  if (choice != ColourChoice::Auto) return choice == ColourChoice::Always;
  if (!environment("NO_COLOR").empty()) return false;
  const std::string force = environment("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return environment("TERM") != "dumb" && is_terminal(fd);
}

std::size_t terminal_width(int fd) {
  winsize size{};
  if (is_terminal(fd) && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = environment(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

bool true_colour() {
  const std::string value = environment("COLORTERM");
  return value == "truecolor" || value == "24bit";
}

}  // namespace diopter::base
