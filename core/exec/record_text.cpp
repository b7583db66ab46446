#include "exec/record_text.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::exec {

void require_name(std::string_view what, std::string_view name) {
  const bool good = !name.empty() && !base::invalid_utf8_offset(name) && name.find('\0') == std::string_view::npos;
  if (good) return;
  throw base::UserError(
      base::Exit::Failed,
      "a " + std::string(what) + " is called '" + base::printable(name) + "'; expected a name in UTF-8 without NUL", {},
      "run.name");
}

std::string file_name_of(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 80)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    out += plain ? c : '_';
  }
  if (out.empty() || out.front() == '.') out.insert(out.begin(), '_');
  return out;
}

}  // namespace diopter::exec
