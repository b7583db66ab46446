#include "cli/export_tensor.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/utf8.hpp"
#include "cli/table.hpp"
#include "report/grid_from_store.hpp"
#include "report/npy.hpp"

namespace diopter::cli {
namespace {

std::uint32_t zip_crc(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
      out[i] = value;
    }
    return out;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

// What a local header and a central directory entry have in common. Method 0 (stored), UTF-8 names, 1980-01-01.
void put_common(std::string& out, std::uint32_t crc, std::size_t size, std::size_t name) {
  put(out, 20, 2);
  put(out, 0x800, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 0x21, 2);
  put(out, crc, 4);
  put(out, size, 4);
  put(out, size, 4);
  put(out, name, 2);
  put(out, 0, 2);
}

std::string ending(const std::filesystem::path& file) { return file.extension().string(); }

}  // namespace

std::string npz_bytes(const std::vector<NamedArray>& arrays) {
  std::string out, directory;
  for (const NamedArray& array : arrays) {
    const std::string name = array.name + ".npy", data = report::npy_bytes(array.dtype, array.shape, array.bytes);
    if (out.size() + data.size() > 0xFFFF0000u)
      throw base::UserError(base::Exit::Usage, "an .npz of more than 4 GB is not written",
                            "a file that ends in .safetensors");
    const std::uint32_t crc = zip_crc(data);
    const std::size_t offset = out.size();
    put(out, 0x04034b50, 4);
    put_common(out, crc, data.size(), name.size());
    out += name + data;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    put_common(directory, crc, data.size(), name.size());
    put(directory, 0, 2);
    put(directory, 0, 2);
    put(directory, 0, 2);
    put(directory, 0, 4);
    put(directory, offset, 4);
    directory += name;
  }
  const std::size_t start = out.size();
  out += directory;
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, arrays.size(), 2);
  put(out, arrays.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, 0, 2);
  return out;
}

std::string safetensors_bytes(const std::vector<NamedArray>& arrays) {
  base::Json header = base::Json::object();
  std::string data;
  for (const NamedArray& array : arrays) {
    std::string dtype = array.dtype;
    for (char& c : dtype) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    header[array.name] = {
        {"dtype", dtype}, {"shape", array.shape}, {"data_offsets", {data.size(), data.size() + array.bytes.size()}}};
    data += array.bytes;
  }
  std::string text = base::canonical_json(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string out;
  put(out, text.size(), 8);
  return out + text + data;
}

std::string csv_bytes(const NamedArray& array) {
  const std::vector<double> values = report::as_doubles(array.dtype, array.bytes);
  Rows rows;
  for (const report::Axis& axis : array.dims) {
    rows.columns.push_back({axis.name, "", true});
    if (!axis.labels.empty()) rows.columns.push_back({axis.name + "_label", ""});
  }
  rows.columns.push_back({array.name, "", true});
  for (std::size_t cell = 0; cell < values.size(); ++cell) {
    std::vector<base::Json> line;
    std::vector<std::size_t> index(array.dims.size());
    for (std::size_t d = array.dims.size(), left = cell; d-- > 0; left /= array.dims[d].size)
      index[d] = left % array.dims[d].size;
    for (std::size_t d = 0; d < array.dims.size(); ++d) {
      const report::Axis& axis = array.dims[d];
      if (axis.coord.empty()) line.emplace_back(index[d]);
      else line.emplace_back(axis.coord[index[d]]);
      if (!axis.labels.empty()) line.emplace_back(base::escape_invalid_utf8(axis.labels[index[d]]));
    }
    line.emplace_back(values[cell]);
    rows.cells.push_back(std::move(line));
  }
  return csv(rows, true);
}

void require_known_ending(const std::filesystem::path& file) {
  static const std::set<std::string> known = {".npy", ".npz", ".safetensors", ".csv"};
  if (known.contains(ending(file))) return;
  throw base::UserError(base::Exit::Usage,
                        fmt::format("'{}' should end in .npy, .npz, .safetensors or .csv", file.string()));
}

void write_arrays(const std::filesystem::path& file, const std::vector<NamedArray>& arrays) {
  require_known_ending(file);
  const std::string form = ending(file);
  if (form == ".npz") return base::write_file_atomically(file, npz_bytes(arrays));
  if (form == ".safetensors") return base::write_file_atomically(file, safetensors_bytes(arrays));
  if (arrays.size() != 1)
    throw base::UserError(base::Exit::Usage, fmt::format("a {} file holds one array, not {}", form, arrays.size()),
                          "a file that ends in .npz or .safetensors");
  const NamedArray& one = arrays.front();
  base::write_file_atomically(file,
                              form == ".npy" ? report::npy_bytes(one.dtype, one.shape, one.bytes) : csv_bytes(one));
}

}  // namespace diopter::cli
