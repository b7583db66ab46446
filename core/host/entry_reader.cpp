#include "host/entry_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "host/entry_rules.hpp"
#include "host/host_build.hpp"

namespace diopter::host {
namespace {

// The structs of epoch 1, level 0, end here; later levels append fields.
constexpr std::uint32_t kSmallestPlugin = offsetof(diopter_plugin, get_extension);
constexpr std::uint32_t kSmallestKind = offsetof(diopter_kind, destroy) + sizeof(void*);

// A host struct that is zero beyond what the plugin's compiler knew.
template <class T>
T zero_extended(const void* from, std::uint32_t size) {
  T out{};
  std::memcpy(&out, from, std::min<std::size_t>(size, sizeof(T)));
  return out;
}

void check_library(const diopter_plugin& entry, const About& about) {
  if (entry.abi_epoch != DIOPTER_ABI_EPOCH || entry.abi_level > DIOPTER_ABI_LEVEL) {
    refuse_entry(entry.abi_epoch != DIOPTER_ABI_EPOCH ? "epoch" : "level",
                 "its descriptor is of SDK " + std::to_string(entry.abi_epoch) + "." + std::to_string(entry.abi_level) +
                     " but this host has " + std::to_string(DIOPTER_ABI_EPOCH) + "." +
                     std::to_string(DIOPTER_ABI_LEVEL) + "; build it again.",
                 about);
  }
  const std::pair<const char*, const char*> texts[] = {{"id", entry.id},
                                                       {"version", entry.version},
                                                       {"built_with", entry.built_with},
                                                       {"torch_version", entry.torch_version}};
  for (const auto& [name, text] : texts) {
    if (text == nullptr)
      refuse_entry(("null_" + std::string(name)).c_str(),
                   std::string("its descriptor has no ") + name + "; build it again.", about);
  }
  if (entry.kinds == nullptr || entry.kind_count == 0)
    refuse_entry("null_kinds", "its descriptor offers no kind; add one to DIOPTER_PLUGIN.", about);
  if (entry.kind_size < kSmallestKind) {
    refuse_entry("small",
                 "its kinds are " + std::to_string(entry.kind_size) + " bytes where at least " +
                     std::to_string(kSmallestKind) + " are needed; build it again.",
                 about);
  }
}

void check_stamp_agrees(const LoadedPlugin& plugin, const About& about) {
  const auto compare = [&](const char* what, const std::string& in_stamp, const std::string& in_entry) {
    if (in_stamp == in_entry) return;
    refuse_entry("stamp_differs",
                 "its stamp has " + std::string(what) + " " + base::quoted(base::printable(in_stamp)) +
                     " and its descriptor " + base::quoted(base::printable(in_entry)) + "; build it again.",
                 about);
  };
  compare("id", plugin.stamp.id, plugin.entry.id);
  compare("version", plugin.stamp.version, plugin.entry.version);
  compare("torch", plugin.stamp.torch, plugin.entry.torch_version);
  compare("kinds", std::to_string(plugin.stamp.kinds.size()), std::to_string(plugin.kinds.size()));
  for (std::size_t i = 0; i < plugin.kinds.size(); ++i) {
    compare("kind", plugin.stamp.kinds[i].name, plugin.kinds[i].name);
    compare("summary", plugin.stamp.kinds[i].summary, plugin.kinds[i].summary);
  }
}

}  // namespace

LoadedPlugin read_entry(const diopter_plugin& entry, const Stamp& stamp, const std::filesystem::path& file) {
  const About about{file, stamp.id, {}};
  if (entry.struct_size < kSmallestPlugin) {  // the one field that may be read before any other
    refuse_entry("small",
                 "its descriptor is " + std::to_string(entry.struct_size) + " bytes where at least " +
                     std::to_string(kSmallestPlugin) + " are needed; build it again.",
                 about);
  }
  LoadedPlugin plugin{file, stamp, {}, zero_extended<diopter_plugin>(&entry, entry.struct_size), {}};
  check_library(plugin.entry, about);
  plugin.built_with = plugin.entry.built_with;

  const auto* bytes = reinterpret_cast<const char*>(plugin.entry.kinds);
  for (std::uint32_t i = 0; i < plugin.entry.kind_count; ++i) {
    const auto* from = bytes + std::size_t{i} * plugin.entry.kind_size;
    const auto kind = zero_extended<diopter_kind>(from, plugin.entry.kind_size);
    if (kind.struct_size < kSmallestKind) {
      refuse_entry("small",
                   "its kind " + std::to_string(i) + " says it is " + std::to_string(kind.struct_size) +
                       " bytes where at least " + std::to_string(kSmallestKind) + " are needed; build it again.",
                   about);
    }
    check_kind_pointers(kind, about);
    check_kind_rules(kind, {file, stamp.id, kind.name});
    for (const diopter_kind& earlier : plugin.kinds) {
      if (std::strcmp(earlier.name, kind.name) == 0) {
        refuse_entry("duplicate_kind", "two kinds are called " + base::quoted(kind.name) + "; rename one.", about);
      }
    }
    plugin.kinds.push_back(kind);
  }
  check_stamp_agrees(plugin, about);
  return plugin;
}

}  // namespace diopter::host
