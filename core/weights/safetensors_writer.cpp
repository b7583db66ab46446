#include "weights/safetensors_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <tuple>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::weights {
namespace fs = std::filesystem;
namespace {

using base::Json;

void order(std::vector<TensorToWrite>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    return std::forward_as_tuple(element_size(b.dtype), a.name) < std::forward_as_tuple(element_size(a.dtype), b.name);
  });
}

std::string header_of(const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const TensorToWrite& t : tensors) {
    std::uint64_t expected = element_size(t.dtype);
    for (const std::int64_t size : t.shape) expected *= static_cast<std::uint64_t>(size);
    DIOPTER_CHECK(t.bytes.size() == expected, "write_safetensors: " + t.name + " has bytes that do not fit its shape");
    DIOPTER_CHECK(!header.contains(t.name) && t.name != "__metadata__",
                  "write_safetensors: " + t.name + " cannot be used as a name (twice?)");
    header[t.name] = {{"dtype", dtype_name(t.dtype)}, {"shape", t.shape}, {"data_offsets", {at, at + expected}}};
    at += expected;
  }
  std::string text = base::plain_json(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  return text;
}

std::string little_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  return bytes;
}

[[noreturn]] void fail(const fs::path& file, const fs::path& temporary, int error) {
  std::error_code ignored;
  fs::remove(temporary, ignored);
  throw base::UserError(base::Exit::Store, fmt::format("cannot write {}: {}", file.string(), base::errno_text(error)),
                        "free some space or choose another place", "weights.write");
}

}  // namespace

void write_safetensors(const fs::path& file, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  static std::atomic<unsigned> counter{0};
  order(tensors);
  const std::string header = header_of(tensors, metadata);
  const fs::path temporary = fmt::format("{}.tmp-{}-{}", file.string(), ::getpid(), counter.fetch_add(1));
  {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << little_endian(header.size()) << header;
    for (const TensorToWrite& t : tensors) out.write(t.bytes.data(), static_cast<std::streamsize>(t.bytes.size()));
    out.close();
    if (!out) fail(file, temporary, errno);
  }
  base::sync_file(temporary);
  std::error_code error;
  fs::rename(temporary, file, error);
  if (error) fail(file, temporary, error.value());
  base::sync_directory(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

}  // namespace diopter::weights
