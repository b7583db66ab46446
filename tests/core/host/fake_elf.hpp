// Shared libraries made of bytes: what the stamp reader sees of a plugin, without a compiler.
#pragma once

#include <elf.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "host/elf_section.hpp"
#include "host/host_build.hpp"
#include "host/plugin_error.hpp"

namespace diopter::host::test {

// A sound ELF64 library whose only content is a section `name`.
inline std::string elf_with_section(const std::string& name, const std::string& content) {
  const std::string names = std::string("\0.shstrtab\0", 11) + name + '\0';
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = host_machine();
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_phoff = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 1;

  Elf64_Phdr load{};
  load.p_type = PT_LOAD;
  load.p_filesz = load.p_memsz = sizeof header + sizeof load;

  const std::size_t names_at = sizeof header + sizeof load, content_at = names_at + names.size();
  header.e_shoff = content_at + content.size();
  Elf64_Shdr sections[3]{};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_STRTAB;
  sections[1].sh_offset = names_at;
  sections[1].sh_size = names.size();
  sections[2].sh_name = 11;
  sections[2].sh_type = SHT_PROGBITS;
  sections[2].sh_offset = content_at;
  sections[2].sh_size = content.size();

  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&load), sizeof load);
  out += names + content;
  out.append(reinterpret_cast<const char*>(sections), sizeof sections);
  return out;
}

struct StampText {
  std::string abi = "1.0", sdk = this_host().sdk, torch = this_host().torch, stl = this_host().stl,
              containers = this_host().containers, sanitizer = this_host().sanitizer;
  std::string id = "org.example.lens", version = "0.1.0", kinds = "kind=lens\tLooks at layers.\n";

  std::string text() const {
    return "diopter-plugin\nabi=" + abi + "\n" + (sdk.empty() ? "" : "sdk=" + sdk + "\n") + "torch=" + torch +
           "\nstl=" + stl + "\ncontainers=" + containers + "\nsanitizer=" + sanitizer + "\nid=" + id +
           "\nversion=" + version + "\n" + kinds;
  }
};

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "diopter-host-XXXXXX").string();
    path_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }
  std::filesystem::path plugin(const std::string& name, const StampText& stamp = {}) const {
    return write(name, elf_with_section("diopter", stamp.text() + '\0'));
  }

 private:
  std::filesystem::path path_;
};

// The PluginError that `function` throws; a failure when it throws none.
template <class F>
PluginError error_of(F&& function) {
  try {
    function();
  } catch (const PluginError& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

}  // namespace diopter::host::test
