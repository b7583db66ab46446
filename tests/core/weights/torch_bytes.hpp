// Torch checkpoints put together by hand, so that each part of one can be wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace diopter::weights::testing {

// `size` bytes, little-endian.
inline std::string le(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

struct ZipRecordToWrite {
  std::string name, bytes;
  int method = 0;
};

// A zip file of stored records with a directory as PKWARE's APPNOTE has it, without checksums.
inline std::string zip_bytes(const std::vector<ZipRecordToWrite>& records) {
  std::string file, directory;
  for (const ZipRecordToWrite& r : records) {
    const std::string sizes = le(0, 4) + le(r.bytes.size(), 4) + le(r.bytes.size(), 4);
    const std::string times = le(0, 4), method = le(static_cast<std::uint64_t>(r.method), 2);
    directory += "PK\x01\x02" + le(0, 2) + le(0, 2) + le(0, 2) + method + times + sizes + le(r.name.size(), 2) +
                 le(0, 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(0, 4) + le(file.size(), 4) + r.name;
    file += "PK\x03\x04" + le(0, 2) + le(0, 2) + method + times + sizes + le(r.name.size(), 2) + le(0, 2) + r.name +
            r.bytes;
  }
  const std::size_t begin = file.size();
  return file + directory + "PK\x05\x06" + le(0, 2) + le(0, 2) + le(records.size(), 2) + le(records.size(), 2) +
         le(directory.size(), 4) + le(begin, 4) + le(0, 2);
}

// Pieces of a pickle of protocol 2.
inline std::string text(const std::string& value) { return "X" + le(value.size(), 4) + value; }
inline std::string whole(std::uint64_t value) { return "J" + le(value, 4); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(std::initializer_list<std::string> items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string wholes(const std::vector<std::uint64_t>& values) {
  std::string out = "(";
  for (const std::uint64_t value : values) out += whole(value);
  return out + "t";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}
inline std::string storage(const std::string& key, std::uint64_t elements, const std::string& type = "FloatStorage") {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), whole(elements)}) + "Q";
}
inline std::string tensor(const std::string& storage, std::uint64_t offset, const std::vector<std::uint64_t>& shape,
                          const std::vector<std::uint64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, whole(offset), wholes(shape), wholes(strides), "\x89",
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

// As torch.save writes it: the pickle, the byte order, and a record per storage.
inline std::string torch_zip(const std::string& pickled,
                             const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<ZipRecordToWrite> records{{"a/data.pkl", pickled}, {"a/byteorder", "little"}};
  for (const auto& [key, bytes] : storages) records.push_back({"a/data/" + key, bytes});
  records.push_back({"a/version", "3\n"});
  return zip_bytes(records);
}

}  // namespace diopter::weights::testing
