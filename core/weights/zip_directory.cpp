#include "weights/zip_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::weights {
namespace {

constexpr std::uint64_t kAll32 = 0xffffffff, kAll16 = 0xffff;

[[noreturn]] void refuse_zip(const std::string& file, const std::string& defect) {
  throw base::UserError(base::Exit::Refused, fmt::format("{} is not a readable zip file: {}", file, defect),
                        "fetch or save the file again", "weights.zip");
}

std::string shown_record(std::string_view name) { return "record '" + base::printable(name, 80) + "'"; }

// Little-endian numbers and slices; a read past the end is a refusal.
class ZipBytes {
 public:
  ZipBytes(std::string_view file, const std::string& name) : file_(file), name_(name) {}

  std::uint64_t number(std::uint64_t at, int size) const {
    const std::string_view bytes = slice(at, static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
  }

  std::string_view slice(std::uint64_t at, std::uint64_t size) const {
    if (at > file_.size() || size > file_.size() - at) {
      refuse_zip(name_, fmt::format("expected {} bytes at {}, got a file of {} (cut short?)", size, at, file_.size()));
    }
    return file_.substr(at, size);
  }

  std::uint64_t size() const { return file_.size(); }
  const std::string& name() const { return name_; }

 private:
  std::string_view file_;
  const std::string& name_;
};

struct Directory {
  std::uint64_t begin = 0, size = 0, entries = 0;
};

// The last record of the file: 22 bytes and a comment that ends where the file does.
std::uint64_t find_end(const ZipBytes& bytes) {
  constexpr std::uint64_t kSize = 22;
  for (std::uint64_t comment = 0; comment <= kAll16 && comment + kSize <= bytes.size(); ++comment) {
    const std::uint64_t at = bytes.size() - kSize - comment;
    if (bytes.number(at, 4) == 0x06054b50 && bytes.number(at + 20, 2) == comment) return at;
  }
  refuse_zip(bytes.name(), "expected a directory at its end, got none (cut short?)");
}

Directory find_directory(const ZipBytes& bytes) {
  const std::uint64_t end = find_end(bytes);
  Directory found{bytes.number(end + 16, 4), bytes.number(end + 12, 4), bytes.number(end + 10, 2)};
  std::uint64_t limit = end;
  std::uint64_t disks = bytes.number(end + 4, 2) | bytes.number(end + 6, 2);
  if (end >= 20 && bytes.number(end - 20, 4) == 0x07064b50) {  // zip64: torch always writes it
    const std::uint64_t wide = bytes.number(end - 20 + 8, 8);
    if (bytes.number(wide, 4) != 0x06064b50)
      refuse_zip(bytes.name(), "expected a zip64 directory where it says, got none");
    found = {bytes.number(wide + 48, 8), bytes.number(wide + 40, 8), bytes.number(wide + 32, 8)};
    disks = bytes.number(wide + 16, 4) | bytes.number(wide + 20, 4);
    limit = wide;
  }
  if (disks != 0) refuse_zip(bytes.name(), "expected one file, got a part of several");
  if (found.begin > limit || found.size > limit - found.begin) {
    refuse_zip(bytes.name(), fmt::format("expected its directory before byte {}, got {} bytes at {}", limit, found.size,
                                         found.begin));
  }
  constexpr std::uint64_t kSmallestEntry = 46;
  if (found.entries > found.size / kSmallestEntry) {
    refuse_zip(bytes.name(),
               fmt::format("expected {} directory entries to fit in {} bytes", found.entries, found.size));
  }
  return found;
}

struct Entry {
  std::string_view name;
  std::uint64_t flags = 0, method = 0, packed = 0, size = 0, header = 0;  // header: of the record, in the file
};

// Sizes and places of 2^32 - 1 are in the extra field, in this order, those that need it only.
void read_wide_numbers(const ZipBytes& bytes, std::uint64_t extra, std::uint64_t extra_size, Entry& entry) {
  if (entry.size != kAll32 && entry.packed != kAll32 && entry.header != kAll32) return;
  for (std::uint64_t at = extra; at + 4 <= extra + extra_size;) {
    const std::uint64_t id = bytes.number(at, 2), end = at + 4 + bytes.number(at + 2, 2);
    at += 4;
    if (end > extra + extra_size) break;
    for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
      if (id != 1 || *value != kAll32) continue;
      if (at + 8 > end)
        refuse_zip(bytes.name(), "expected the zip64 sizes of " + shown_record(entry.name) + ", got none");
      *value = bytes.number(at, 8);
      at += 8;
    }
    if (id == 1) return;
    at = end;
  }
  refuse_zip(bytes.name(), "expected the zip64 sizes of " + shown_record(entry.name) + ", got none");
}

// Moves `at` behind the entry.
Entry read_entry(const ZipBytes& bytes, std::uint64_t& at) {
  if (bytes.number(at, 4) != 0x02014b50) refuse_zip(bytes.name(), fmt::format("expected a directory entry at {}", at));
  const std::uint64_t name = bytes.number(at + 28, 2), extra = bytes.number(at + 30, 2),
                      comment = bytes.number(at + 32, 2);
  Entry entry{.name = bytes.slice(at + 46, name),
              .flags = bytes.number(at + 8, 2),
              .method = bytes.number(at + 10, 2),
              .packed = bytes.number(at + 20, 4),
              .size = bytes.number(at + 24, 4),
              .header = bytes.number(at + 42, 4)};
  bytes.slice(at + 46 + name, extra + comment);
  read_wide_numbers(bytes, at + 46 + name, extra, entry);
  at += 46 + name + extra + comment;
  return entry;
}

// The record's bytes; `end`: where they must have ended.
std::string_view record_bytes(const ZipBytes& bytes, const Entry& entry, std::uint64_t end) {
  constexpr std::uint64_t kEncrypted = 1 | 1 << 5 | 1 << 6 | 1 << 13;  // or patched, which nobody reads
  if ((entry.flags & kEncrypted) != 0) refuse_zip(bytes.name(), shown_record(entry.name) + " is encrypted");
  if (entry.method == 0 && entry.packed != entry.size) {
    refuse_zip(bytes.name(), fmt::format("expected {} as it is, got {} bytes for {}", shown_record(entry.name),
                                         entry.packed, entry.size));
  }
  if (entry.header > end || bytes.number(entry.header, 4) != 0x04034b50) {
    refuse_zip(bytes.name(),
               fmt::format("expected {} at byte {}, got something else", shown_record(entry.name), entry.header));
  }
  const std::uint64_t name = bytes.number(entry.header + 26, 2), extra = bytes.number(entry.header + 28, 2);
  if (bytes.slice(entry.header + 30, name) != entry.name)
    refuse_zip(bytes.name(), shown_record(entry.name) + " has another name where it lies");
  const std::uint64_t begin = entry.header + 30 + name + extra;
  if (begin > end || entry.packed > end - begin) {
    refuse_zip(bytes.name(),
               fmt::format("expected {} to end before byte {}, got {} bytes at {} (records overlap, or the "
                           "file is cut short)",
                           shown_record(entry.name), end, entry.packed, begin));
  }
  return bytes.slice(begin, entry.packed);
}

}  // namespace

std::map<std::string, ZipRecord> read_zip_directory(std::string_view file, const std::string& name) {
  const ZipBytes bytes(file, name);
  const Directory directory = find_directory(bytes);
  std::vector<Entry> entries;
  std::uint64_t at = directory.begin;
  for (std::uint64_t i = 0; i < directory.entries; ++i) entries.push_back(read_entry(bytes, at));
  if (at > directory.begin + directory.size)
    refuse_zip(name, fmt::format("expected a directory of {} bytes, got {}", directory.size, at - directory.begin));

  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.header < b.header; });
  std::map<std::string, ZipRecord> records;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t end = i + 1 < entries.size() ? entries[i + 1].header : directory.begin;
    const ZipRecord record{record_bytes(bytes, entries[i], end), entries[i].method == 0};
    if (!records.emplace(entries[i].name, record).second)
      refuse_zip(name, "expected every record once, got " + shown_record(entries[i].name) + " twice");
  }
  return records;
}

}  // namespace diopter::weights
