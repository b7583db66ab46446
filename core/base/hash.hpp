// SHA-256 (OpenSSL) and CRC-32C (Castagnoli, reflected polynomial 0x82f63b78; check value of "123456789" is e3069283).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace diopter::base {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(std::string_view bytes);
  std::string hex();  // 64 lower-case digits; ends the computation

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& file);
// Of "diopter.tree/1\n" and, for each regular file in bytewise order of its relative path: path, NUL, hex hash,
// newline. Links are followed. A dangling one, one that leads back up, and an unreadable file are a UserError(Usage).
std::string sha256_tree(const std::filesystem::path& directory);

std::uint32_t crc32c(std::string_view bytes);
std::string hex8(std::uint32_t value);

}  // namespace diopter::base
