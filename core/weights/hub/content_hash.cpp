#include "weights/hub/content_hash.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "weights/hub/refusal.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

class Digest {
 public:
  explicit Digest(ContentHash::Kind kind) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    const EVP_MD* method = kind == ContentHash::Kind::Sha256 ? EVP_sha256() : EVP_sha1();
    DIOPTER_CHECK(context_ && EVP_DigestInit_ex(context_.get(), method, nullptr) == 1, "no such hash in OpenSSL");
  }
  void update(std::string_view bytes) {
    DIOPTER_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "hashing failed");
  }
  std::string hex() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned length = 0;
    DIOPTER_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1, "hashing failed");
    std::string out;
    for (unsigned i = 0; i < length; ++i) out += {kDigits[digest[i] >> 4], kDigits[digest[i] & 15]};
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

[[noreturn]] void fail_to_read(const fs::path& file) {
  throw base::UserError(base::Exit::Usage, "cannot read " + file.string() + ": " + base::errno_text(errno));
}

}  // namespace

std::optional<ContentHash> hash_of_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(etag.begin(), etag.end(), hex)) return std::nullopt;
  if (etag.size() == 64) return ContentHash{ContentHash::Kind::Sha256, std::string(etag)};
  if (etag.size() == 40) return ContentHash{ContentHash::Kind::GitBlob, std::string(etag)};
  return std::nullopt;
}

std::string hash_of_file(const fs::path& file, ContentHash::Kind kind) {
  std::ifstream in(file, std::ios::binary);
  if (!in) fail_to_read(file);
  Digest digest(kind);
  if (kind == ContentHash::Kind::GitBlob) {
    const std::string header = "blob " + std::to_string(fs::file_size(file));
    digest.update({header.c_str(), header.size() + 1});  // with the NUL at its end
  }
  std::vector<char> buffer(1 << 20);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    digest.update({buffer.data(), static_cast<std::size_t>(in.gcount())});
    stop_if_interrupted();
  }
  if (in.bad()) fail_to_read(file);
  return digest.hex();
}

}  // namespace diopter::hub
