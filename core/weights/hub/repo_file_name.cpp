#include "weights/hub/repo_file_name.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::hub {
namespace {

constexpr std::size_t kLongestComponent = 255;  // NAME_MAX
constexpr std::size_t kLongestName = 1024;

bool is_plain_component(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.size() <= kLongestComponent;
}

bool is_plain(std::string_view name) {
  const auto never = [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\'; };
  if (name.size() > kLongestName || std::any_of(name.begin(), name.end(), never)) return false;
  if (base::invalid_utf8_offset(name)) return false;
  for (;;) {
    const std::size_t slash = name.find('/');
    if (!is_plain_component(name.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

void check_file_name(std::string_view name) {
  if (is_plain(name)) return;
  throw base::UserError(base::Exit::Refused,
                        "expected plain relative names of files from the hub, got '" + base::printable(name) +
                            "', which could reach out of the model's folder; nothing was fetched",
                        "check HF_ENDPOINT: a hub does not list such a name", "hub.file_name");
}

std::string url_path(std::string_view name) { return percent_encoded(name, "-_.~/"); }
std::string url_component(std::string_view text) { return percent_encoded(text, "-_.~"); }

}  // namespace diopter::hub
