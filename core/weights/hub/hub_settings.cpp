#include "weights/hub/hub_settings.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <initializer_list>

#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<std::string> first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = variable(name)) return value;
  }
  return std::nullopt;
}

bool is_true(const char* name) {
  std::string value = variable(name).value_or("");
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::toupper(c); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string home() {
  if (auto home = variable("HOME")) return *home;
  const passwd* user = ::getpwuid(::getuid());
  if (user && user->pw_dir && *user->pw_dir) return user->pw_dir;
  throw UserError(Exit::Usage, "expected a home directory for the model cache, got none",
                  "set HOME, or HF_HOME to the folder that shall hold the cache", "hub.home");
}

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// "$NAME" and "${NAME}"; what is not set stays as it is written, as in a path that has a '$'.
std::string with_variables(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool braced = text.compare(at, 2, "${") == 0;
    const std::size_t start = at + (braced ? 2 : 1);
    std::size_t end = start;
    while (text[at] == '$' && end < text.size() && is_name(text[end])) ++end;
    const bool whole = text[at] == '$' && end > start && (!braced || (end < text.size() && text[end] == '}'));
    const char* value = whole ? std::getenv(text.substr(start, end - start).c_str()) : nullptr;
    if (!value) {
      out += text[at++];
      continue;
    }
    out += value;
    at = end + (braced ? 1 : 0);
  }
  return out;
}

// "~" is the home directory, then variables, as huggingface_hub does it.
fs::path expanded(const std::string& text) {
  const bool tilde = text == "~" || text.starts_with("~/");
  return with_variables(tilde ? home() + text.substr(1) : text);
}

fs::path hf_home() {
  if (const auto named = variable("HF_HOME")) return expanded(*named);
  if (const auto named = variable("XDG_CACHE_HOME")) return expanded(*named) / "huggingface";
  return fs::path(home()) / ".cache/huggingface";
}

fs::path cache_folder() {
  const auto named = first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  // Absolute, so that messages tell the same place from whichever folder they are read.
  return fs::absolute(named ? expanded(*named) : hf_home() / "hub").lexically_normal();
}

template <typename Number>
Number number(const char* name, Number otherwise, Number least, Number most) {
  const auto text = variable(name);
  if (!text) return otherwise;
  Number value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size() && value >= least && value <= most) return value;
  throw UserError(Exit::Usage,
                  "expected a number from " + std::to_string(least) + " to " + std::to_string(most) + " in " + name +
                      ", got '" + *text + "'",
                  std::string("unset ") + name + " or mend it", "hub.setting");
}

std::string endpoint() {
  std::string out = variable("HF_ENDPOINT").value_or("https://huggingface.co");
  while (out.ends_with('/')) out.pop_back();
  const bool web = out.starts_with("https://") || out.starts_with("http://");
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (web && out.find_first_of("?#@") == std::string::npos && std::all_of(out.begin(), out.end(), plain)) return out;
  throw UserError(Exit::Usage, "expected an http or https address in HF_ENDPOINT, got '" + out + "'",
                  "unset HF_ENDPOINT for https://huggingface.co", "hub.setting");
}

// Without line ends and surrounding blanks, as people paste them.
std::string cleaned(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }), text.end());
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<Token> token_of(const std::string& text, const std::string& origin) {
  const std::string secret = cleaned(text);
  if (secret.empty()) return std::nullopt;
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(secret.begin(), secret.end(), plain)) {
    throw UserError(Exit::Usage, "expected an access token in " + origin + ", got text with blanks or other characters",
                    "copy the token again from the settings page of the hub", "hub.token");
  }
  return Token{secret, origin};
}

}  // namespace

HubSettings hub_settings() {
  HubSettings out;
  out.cache = cache_folder();
  const auto token_path = variable("HF_TOKEN_PATH");
  out.token_file = token_path ? expanded(*token_path) : hf_home() / "token";
  out.endpoint = endpoint();
  // The first that is set at all decides: HF_HUB_OFFLINE=0 allows the network whatever TRANSFORMERS_OFFLINE says.
  const bool off = variable("HF_HUB_OFFLINE") ? is_true("HF_HUB_OFFLINE") : is_true("TRANSFORMERS_OFFLINE");
  out.network = off ? Network::Off : Network::Allowed;
  out.progress_bar = is_true("HF_HUB_DISABLE_PROGRESS_BARS") ? ProgressBar::Hidden : ProgressBar::Shown;
  out.metadata_seconds = number("HF_HUB_ETAG_TIMEOUT", 10, 1, 3600);
  out.silence_seconds = number("HF_HUB_DOWNLOAD_TIMEOUT", 10, 1, 3600);
  out.attempts = number("DIOPTER_HUB_ATTEMPTS", 5, 1, 100);
  out.pause_seconds = number("DIOPTER_HUB_PAUSE", 1.0, 0.0, 60.0);
  if (const auto file = first_of({"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})) out.certificates = *file;
  return out;
}

std::optional<Token> hub_token(const HubSettings& settings) {
  if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return std::nullopt;
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    const auto text = variable(name);
    if (!text) continue;
    if (auto token = token_of(*text, name)) return token;
    break;  // blanks: as huggingface_hub does, the file is asked next
  }
  std::error_code error;
  const bool there = fs::exists(settings.token_file, error);
  if (!there && !error) return std::nullopt;
  return token_of(base::read_file(settings.token_file), settings.token_file.string());
}

}  // namespace diopter::hub
