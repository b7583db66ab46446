#include "host/elf_section.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/files.hpp"
#include "host/plugin_error.hpp"

namespace diopter::host {
namespace {

constexpr const char* kCopyAgain = "copy or build it again.";
constexpr std::uint64_t kLargestNames = 1 << 20;  // bytes of section names: ours have a few hundred

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "AArch64";
    case EM_386: return "i386";
    case EM_ARM: return "ARM";
    case EM_PPC64: return "POWER";
    case EM_S390: return "S/390";
    case EM_RISCV: return "RISC-V";
    default: return "machine " + std::to_string(machine);
  }
}

class File {
 public:
  explicit File(const std::filesystem::path& path) : path_(path) {
    // O_NONBLOCK: a pipe with the right name must not hang the search.
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd_ < 0)
      fail("unreadable", " cannot be read: " + base::errno_text(errno) + "; correct its path or permissions.");
    struct stat status {};
    if (::fstat(fd_, &status) != 0)
      fail("unreadable", " cannot be read: " + base::errno_text(errno) + "; " + kCopyAgain);
    if (S_ISDIR(status.st_mode)) fail("dir", " is a directory; name the .diopter.so file in it.");
    if (!S_ISREG(status.st_mode)) fail("special", " is not a regular file; name a .diopter.so file.");
    size_ = static_cast<std::uint64_t>(status.st_size);
    if (size_ == 0) fail("empty", std::string(" is empty; ") + kCopyAgain);
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[noreturn]] void fail(const char* code, const std::string& rest, Stage stage = Stage::File) {
    const std::string sentence = path_.string() + rest;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    throw PluginError(stage, code, sentence, {.file = path_});
  }

  // `what` must lie inside the file. Written without sums that could wrap.
  void check_inside(const std::string& what, std::uint64_t offset, std::uint64_t size) {
    if (offset <= size_ && size <= size_ - offset) return;
    const bool wraps = size > UINT64_MAX - offset;
    fail("truncated", " is cut short: its " + what + " ends " +
                          (wraps ? "beyond any file" : "at byte " + std::to_string(offset + size)) + " of a " +
                          std::to_string(size_) + " byte file; " + kCopyAgain);
  }

  std::string read(const std::string& what, std::uint64_t offset, std::uint64_t size) {
    check_inside(what, offset, size);
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("unreadable", " cannot be read: " + base::errno_text(errno) + "; " + kCopyAgain);
      if (n == 0) fail("truncated", " became shorter while it was read; " + std::string(kCopyAgain));
      done += static_cast<std::size_t>(n);
    }
    return bytes;
  }

  template <class T>
  std::vector<T> read_array(const std::string& what, std::uint64_t offset, std::uint64_t count) {
    const std::string bytes = read(what, offset, count * sizeof(T));  // count is 16 bits: no overflow
    std::vector<T> items(count);
    if (count > 0) std::memcpy(static_cast<void*>(items.data()), bytes.data(), bytes.size());
    return items;
  }

  std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

Elf64_Ehdr checked_header(File& file, std::uint16_t machine) {
  const std::string magic = file.read("first line", 0, std::min<std::uint64_t>(file.size(), SELFMAG));
  if (magic != std::string_view(ELFMAG, std::min<std::size_t>(magic.size(), SELFMAG))) {
    file.fail("text",
              " is not a shared library (it does not start as an ELF file does); build it with diopter_add_plugin().");
  }
  const auto header = file.read_array<Elf64_Ehdr>("ELF header", 0, 1).front();
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    file.fail("machine", " is not a 64-bit little-endian library, which this host needs; rebuild it on this machine.");
  }
  if (header.e_machine != machine) {
    file.fail("machine", " was built for " + machine_name(header.e_machine) + " but this host runs on " +
                             machine_name(machine) + "; rebuild it on this machine.");
  }
  if (header.e_type != ET_DYN) {
    file.fail("not_shared", " is an ELF file but not a shared library; build it with diopter_add_plugin().");
  }
  return header;
}

// What the loader would map must be there: a missing page is a SIGBUS inside dlopen.
void check_segments(File& file, const Elf64_Ehdr& header) {
  if (header.e_phnum > 0 && header.e_phentsize != sizeof(Elf64_Phdr)) {
    file.fail("damaged", " is damaged: its program headers have an unknown size; " + std::string(kCopyAgain));
  }
  const auto segments = file.read_array<Elf64_Phdr>("program header table", header.e_phoff, header.e_phnum);
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) file.check_inside("loaded segment", segment.p_offset, segment.p_filesz);
  }
}

}  // namespace

std::uint16_t host_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#else
#error "say which ELF machine this is"
#endif
}

std::optional<std::string> read_elf_section(const std::filesystem::path& path, std::string_view name,
                                            std::uint16_t machine) {
  File file(path);
  const Elf64_Ehdr header = checked_header(file, machine);
  if (header.e_shnum > 0 && header.e_shentsize != sizeof(Elf64_Shdr)) {
    file.fail("damaged", " is damaged: its section headers have an unknown size; " + std::string(kCopyAgain));
  }
  const auto sections = file.read_array<Elf64_Shdr>("section table", header.e_shoff, header.e_shnum);
  check_segments(file, header);
  if (header.e_shstrndx >= sections.size()) return std::nullopt;

  const Elf64_Shdr& names_section = sections[header.e_shstrndx];
  if (names_section.sh_type == SHT_NOBITS) return std::nullopt;
  file.check_inside("table of section names", names_section.sh_offset, names_section.sh_size);
  const std::string names = file.read("table of section names", names_section.sh_offset,
                                      std::min<std::uint64_t>(names_section.sh_size, kLargestNames));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_name >= names.size()) continue;
    const std::string_view rest = std::string_view(names).substr(section.sh_name);
    if (rest.substr(0, rest.find('\0')) != name || section.sh_type == SHT_NOBITS) continue;
    if (section.sh_size > kLargestSection) {
      file.fail("large",
                " has a '" + std::string(name) + "' section of " + std::to_string(section.sh_size) +
                    " bytes, where at most " + std::to_string(kLargestSection) + " are allowed; " + kCopyAgain,
                Stage::Stamp);
    }
    return file.read("'" + std::string(name) + "' section", section.sh_offset, section.sh_size);
  }
  return std::nullopt;
}

}  // namespace diopter::host
