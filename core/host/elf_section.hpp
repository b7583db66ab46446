// Reads one section of an ELF shared library without mapping or running it. The file may be anything at all: empty, cut
// short, text, hostile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace diopter::host {

inline constexpr std::uint64_t kLargestSection = 64 * 1024;

// The machine this host was compiled for, as ELF counts them (62: x86-64).
std::uint16_t host_machine();

// The bytes of section `name`; nullopt when a sound library has none. PluginError(File) for what is no sound 64-bit
// shared library for `machine`; PluginError(Stamp) for a section above kLargestSection.
std::optional<std::string> read_elf_section(const std::filesystem::path& file, std::string_view name,
                                            std::uint16_t machine = host_machine());

}  // namespace diopter::host
