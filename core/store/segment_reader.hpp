// Reads one segment of a spool: checks every line, and gives whole groups only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/spool_format.hpp"

namespace diopter::store {

struct Record {
  std::string type;
  std::int64_t n = 0, at = 0;
  std::string run;  // empty for records of the writer
  Json body;        // the whole object
};

using Group = std::vector<Record>;  // without the `commit` that ended it

struct Segment {
  std::string batch, writer;
  std::int64_t number = 0;
  std::int64_t first_n = 0;  // of the `segment` record
  std::int64_t next_n = 0;   // the writer's next record after this segment
  std::int64_t records = 0;  // lines before the seal
  std::string sha256;        // of those lines
  std::vector<Group> groups;
  std::size_t used_bytes = 0;  // of an open segment: up to the end of the last whole group
  bool torn = false;           // an open segment had something after that
};

// A sealed segment must be whole: BadSegment says what is not, and in which line.
Segment read_sealed_segment(std::string_view bytes);
// Of a writer that is dead: everything up to the last whole group counts, the rest is dropped. A seal in it is fine
// (the writer died before the rename). One that was cut before the end of its first line says nothing: `used_bytes` is
// 0 and nothing else is known. BadSegment only when the first line is whole and wrong.
Segment read_open_segment(std::string_view bytes);

}  // namespace diopter::store
