#include "base/hash.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::base {
namespace fs = std::filesystem;

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  DIOPTER_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "SHA-256 is not available");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(std::string_view bytes) {
  DIOPTER_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 update failed");
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  DIOPTER_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1, "SHA-256 final failed");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

std::string sha256(std::string_view bytes) { return Sha256().update(bytes).hex(); }

std::string sha256_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UserError(Exit::Usage, "cannot read " + file.string() + ": " + errno_text(errno));
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  errno = 0;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    hash.update({buffer.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (in.bad() || errno != 0) throw UserError(Exit::Usage, "cannot read " + file.string() + ": " + errno_text(errno));
  return hash.hex();
}

std::string sha256_tree(const fs::path& directory) {
  constexpr int kDeepest = 100;  // deeper: links that go round in a circle
  const std::size_t root = (directory / "").generic_string().size();
  std::vector<std::pair<std::string, fs::path>> files;
  try {
    // Links are followed, but a file keeps the name it has here: a hub cache links each file to a blob elsewhere.
    auto entry = fs::recursive_directory_iterator(directory, fs::directory_options::follow_directory_symlink);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
      if (entry.depth() > kDeepest) {
        throw UserError(Exit::Usage, directory.string() + " is nested more than 100 deep (a link to itself?)");
      }
      if (entry->is_directory()) continue;
      if (!entry->is_regular_file()) {
        throw UserError(Exit::Usage, entry->path().string() + " is not a regular file (a dangling link?); remove it");
      }
      files.emplace_back(entry->path().generic_string().substr(root), entry->path());
    }
  } catch (const fs::filesystem_error& error) {
    throw UserError(Exit::Usage, "cannot read " + directory.string() + ": " + error.code().message());
  }
  std::sort(files.begin(), files.end());
  Sha256 tree;
  tree.update("diopter.tree/1\n");
  for (const auto& [name, path] : files) {
    tree.update(name).update(std::string_view("\0", 1)).update(sha256_file(path)).update("\n");
  }
  return tree.hex();
}

std::uint32_t crc32c(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) ? (value >> 1) ^ 0x82f63b78u : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (unsigned char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xff];
  return crc ^ 0xffffffffu;
}

std::string hex8(std::uint32_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(8, '0');
  for (int i = 7; i >= 0; --i, value >>= 4) out[static_cast<std::size_t>(i)] = kDigits[value & 15];
  return out;
}

}  // namespace diopter::base
