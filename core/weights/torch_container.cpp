#include "weights/torch_container.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "weights/pickle_reader.hpp"
#include "weights/zip_directory.hpp"

namespace diopter::weights {
namespace {

using Kind = PickleValue::Kind;

// Protocol 2, then the number 0x1950a86a20f9469cfc6c in ten bytes, then STOP.
constexpr std::string_view kLegacyMagic(
    "\x80\x02\x8a\x0al\xfc\x9c"
    "F\xf9 j\xa8P\x19.",
    15);

// "archive/data.pkl" -> "archive/"
std::string folder_in_zip(const std::map<std::string, ZipRecord>& records, const std::string& name) {
  constexpr std::string_view kPickle = "data.pkl";
  std::string found;
  for (const auto& [record, content] : records) {
    if (!record.ends_with(kPickle)) continue;
    const std::string folder = record.substr(0, record.size() - kPickle.size());
    if (folder.size() < 2 || folder.find('/') != folder.size() - 1) continue;
    if (!found.empty()) refuse_torch(name, "expected one data.pkl in it, got two");
    found = folder;
  }
  if (found.empty())
    refuse_torch(name, "expected a NAME/data.pkl in it, as torch.save writes, got a zip file without one");
  return found;
}

}  // namespace

bool is_legacy_torch(std::string_view bytes) { return bytes.starts_with(kLegacyMagic); }

std::uint64_t storage_bytes(const PickleValue& storage, const std::string& name) {
  std::uint64_t size = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(storage.whole), element_size(storage.dtype), &size))
    refuse_torch(name, fmt::format("expected storages whose bytes can be counted, got {} elements", storage.whole));
  return size;
}

TorchContainer read_torch_zip(std::string_view bytes, const std::string& name) {
  const auto records = read_zip_directory(bytes, name);
  const std::string folder = folder_in_zip(records, name);
  if (records.contains(folder + "constants.pkl")) {
    refuse_torch(name, "expected a state dict, got a program of TorchScript",
                 "load it with torch.jit.load and save its state_dict() with torch.save");
  }
  for (const auto& [record, content] : records) {
    if (!content.stored)
      refuse_torch(name, fmt::format("expected records as they are, got '{}' compressed", base::printable(record, 80)));
  }
  if (const auto order = records.find(folder + "byteorder"); order != records.end() && order->second.bytes != "little")
    refuse_torch(name, fmt::format("expected little-endian data, got '{}'", base::printable(order->second.bytes, 20)));
  TorchContainer out{.pickled = read_pickle(records.at(folder + "data.pkl").bytes, name), .storages = {}};
  const std::string data = folder + "data/";
  for (auto record = records.lower_bound(data); record != records.end() && record->first.starts_with(data); ++record)
    out.storages.emplace(record->first.substr(data.size()), record->second.bytes);
  return out;
}

TorchContainer read_torch_legacy(std::string_view bytes, const std::string& name) {
  std::size_t at = kLegacyMagic.size();
  const auto next = [&] {
    Pickled read = read_pickle(bytes.substr(at), name);
    at += read.end;
    return read;
  };
  const Pickled version = next();
  if (version[version.top].kind != Kind::Whole || version[version.top].whole != 1001)
    refuse_torch(name, "expected version 1001 of the older torch format, got another");
  const Pickled system = next();
  const PickleValue& facts = system[system.top];
  for (std::size_t i = 0; facts.kind == Kind::Dict && i < facts.items.size(); i += 2) {
    if (system[facts.items[i]].text == "little_endian" && system[facts.items[i + 1]].whole != 1)
      refuse_torch(name, "expected little-endian data, got big-endian");
  }
  TorchContainer out{.pickled = next(), .storages = {}};
  std::map<std::string_view, const PickleValue*> known;
  for (const PickleValue& value : out.pickled.values) {
    if (value.kind == Kind::Storage) known.emplace(value.text, &value);
  }
  const Pickled order = next();
  if (order[order.top].kind != Kind::List) refuse_torch(name, "expected a list of its storages, got something else");
  for (const std::uint32_t item : order[order.top].items) {  // each: its elements (8 bytes), then its data
    const auto storage = known.find(order[item].text);
    if (storage == known.end()) refuse_torch(name, "expected storages that its tensors name, got another");
    const std::uint64_t size = storage_bytes(*storage->second, name);
    if (bytes.size() - at < 8 || bytes.size() - at - 8 < size) {
      refuse_torch(name, fmt::format("expected a storage of {} bytes at {}, got a file of {} (cut short?)", size, at,
                                     bytes.size()));
    }
    if (!out.storages.emplace(storage->first, bytes.substr(at + 8, size)).second)
      refuse_torch(name, "expected every storage once, got one twice");
    at += 8 + size;
  }
  return out;
}

}  // namespace diopter::weights
