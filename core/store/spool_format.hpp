// The line format by which writers hand results over; both ends use this header.
//
// A line is the CRC-32C of the JSON bytes (8 hex digits), a space, the JSON object without a newline, '\n'. Every
// object has "t" (type), "n" (the writer's record number, without gaps across segments, from 1) and "at" (the writer's
// clock, microseconds). A segment starts with a `segment` record and ends with a `seal`, which holds the number of
// lines before it and their SHA-256. Records between form groups, each ended by a `commit`.
//
//   <spool>/<batch>/plan.jsonl  plan.sha256  STOP  outputs/  logs/<run id>.log  done/
//   <spool>/<batch>/<writer>/000007.open -> 000007.jsonl     and  <run id>.<k>.safetensors
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"

namespace diopter::store {

using base::Json;

inline constexpr int kSpoolVersion = 1;
inline constexpr std::size_t kInlineBytes = 65'536;     // larger tensors and documents become files
inline constexpr std::size_t kSegmentBytes = 1u << 20;  // a segment is sealed when it has grown past this

// What is wrong with a segment, with its line. Ingest reports it and leaves the segment in place.
class BadSegment : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `json` is one JSON object without newlines.
std::string spool_line(std::string_view json);
// The JSON bytes of a line given without its '\n'. BadSegment for a malformed line or a wrong checksum.
std::string_view checked_json(std::string_view line);

bool is_record_type(std::string_view type);

std::string open_segment_name(std::int64_t segment);    // 000007.open
std::string sealed_segment_name(std::int64_t segment);  // 000007.jsonl
// The number in "000007.jsonl" or "000007.open"; nothing for other names.
std::optional<std::int64_t> segment_number(std::string_view file_name, std::string_view extension);

// Doubles: finite ones are JSON numbers in shortest round-trip form (-0 stays -0.0), the others "NaN", "Infinity",
// "-Infinity".
void append_number(std::string& json, double value);
Json number_json(double value);
double number_from(const Json& value);
// A JSON string with its quotes. The text must be valid UTF-8.
void append_string(std::string& json, std::string_view text);

std::string base64(std::string_view bytes);
std::string from_base64(std::string_view text);  // BadSegment when it is none

// The files of ended segments.
std::filesystem::path done_directory(const std::filesystem::path& batch_spool);

}  // namespace diopter::store
