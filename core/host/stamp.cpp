#include "host/stamp.hpp"

#include <charconv>
#include <optional>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "host/elf_section.hpp"
#include "host/plugin_error.hpp"

namespace diopter::host {
namespace {

constexpr std::string_view kFirstLine = "diopter-plugin";

[[noreturn]] void damaged(const std::filesystem::path& file, const char* code, const std::string& why) {
  throw PluginError(Stage::Stamp, code, file.string() + " has a damaged stamp (" + why + "); build it again.",
                    {.file = file});
}

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::optional<int> number(std::string_view digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return value;
}

void read_abi(std::string_view value, Stamp& stamp, const std::filesystem::path& file) {
  const std::size_t dot = value.find('.');
  const auto epoch = number(value.substr(0, dot));
  const auto level = dot == std::string_view::npos ? std::nullopt : number(value.substr(dot + 1));
  if (!epoch || !level)
    damaged(file, "abi", "its abi is " + base::quoted(base::printable(value)) + ", not EPOCH.LEVEL");
  stamp.epoch = *epoch;
  stamp.level = *level;
}

void read_kind(std::string_view value, Stamp& stamp, const std::filesystem::path& file) {
  const std::size_t tab = value.find('\t');
  if (tab == std::string_view::npos || tab == 0) {
    damaged(file, "kind", "its line " + base::quoted(base::printable(value)) + " is not a kind, a tab and a summary");
  }
  const std::string name(value.substr(0, tab)), summary(value.substr(tab + 1));
  if (base::printable(name, name.size()) != name || base::printable(summary, summary.size()) != summary) {
    damaged(file, "kind", "a kind has characters that cannot be shown: " + base::quoted(base::printable(value)));
  }
  stamp.kinds.push_back({name, summary});
}

}  // namespace

Stamp parse_stamp(std::string_view text, const std::filesystem::path& file) {
  text = text.substr(0, text.find('\0'));
  if (const auto offset = base::invalid_utf8_offset(text)) {
    damaged(file, "utf8", "byte " + std::to_string(*offset) + " is not UTF-8");
  }
  Stamp stamp;
  stamp.text = text;
  const std::string_view first = next_line(text);
  if (first != kFirstLine) damaged(file, "first_line", "it starts with " + base::quoted(base::printable(first)));

  bool has_abi = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
    if (key == "abi") {
      read_abi(value, stamp, file);
      has_abi = true;
    } else if (key == "kind") {
      read_kind(value, stamp, file);
    } else {
      std::string* fields[] = {&stamp.sdk,       &stamp.torch, &stamp.stl,    &stamp.containers,
                               &stamp.sanitizer, &stamp.id,    &stamp.version};
      constexpr std::string_view keys[] = {"sdk", "torch", "stl", "containers", "sanitizer", "id", "version"};
      for (std::size_t i = 0; i < std::size(keys); ++i) {
        if (key == keys[i]) *fields[i] = base::printable(value);
      }
    }
  }
  if (!has_abi) damaged(file, "incomplete", "it has no abi");
  for (const auto& [key, value] : {std::pair("torch", &stamp.torch), std::pair("stl", &stamp.stl),
                                   std::pair("id", &stamp.id), std::pair("version", &stamp.version)}) {
    if (value->empty()) damaged(file, "incomplete", std::string("it has no ") + key);
  }
  if (stamp.kinds.empty()) damaged(file, "incomplete", "it offers no kind");
  return stamp;
}

Stamp read_stamp(const std::filesystem::path& file) {
  const std::optional<std::string> text = read_elf_section(file, "diopter");
  if (!text) {
    throw PluginError(Stage::Stamp, "stranger",
                      file.string() +
                          " is not a Diopter plugin (it has no 'diopter' section); build it with "
                          "diopter_add_plugin() and one DIOPTER_PLUGIN line.",
                      {.file = file});
  }
  return parse_stamp(*text, file);
}

}  // namespace diopter::host
