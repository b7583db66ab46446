#include "store/spool_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/hash.hpp"

namespace diopter::store {
namespace {

constexpr std::string_view kTypes[] = {"segment",   "writer_opened", "heartbeat",  "environment", "source_state",
                                       "plugin",    "input_file",    "output_def", "run_started", "metric",
                                       "tensor",    "output",        "artifact",   "event",       "commit",
                                       "run_ended", "writer_closed", "seal"};

std::string six_digits(std::int64_t number) {
  std::string digits = std::to_string(number);
  return digits.size() < 6 ? std::string(6 - digits.size(), '0') + digits : digits;
}

}  // namespace

std::string spool_line(std::string_view json) {
  std::string line = base::hex8(base::crc32c(json));
  line.reserve(json.size() + 10);
  line += ' ';
  line += json;
  line += '\n';
  return line;
}

std::string_view checked_json(std::string_view line) {
  if (line.size() < 11 || line[8] != ' ') throw BadSegment("a line is not '<checksum> <JSON>'");
  const std::string_view json = line.substr(9);
  if (line.substr(0, 8) != base::hex8(base::crc32c(json))) throw BadSegment("wrong checksum");
  return json;
}

bool is_record_type(std::string_view type) {
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

std::string open_segment_name(std::int64_t segment) { return six_digits(segment) + ".open"; }
std::string sealed_segment_name(std::int64_t segment) { return six_digits(segment) + ".jsonl"; }

std::optional<std::int64_t> segment_number(std::string_view name, std::string_view extension) {
  if (!name.ends_with(extension)) return {};
  name.remove_suffix(extension.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number < 1) return {};
  if (six_digits(number) != name) return {};  // one spelling per segment
  return number;
}

void append_number(std::string& json, double value) {
  if (std::isnan(value)) {
    json += "\"NaN\"";
  } else if (std::isinf(value)) {
    json += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    std::array<char, 40> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    json += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) json += ".0";  // stays a float when it is read again
  }
}

Json number_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

double number_from(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  throw BadSegment("a number is expected, got " + value.dump().substr(0, 60));
}

void append_string(std::string& json, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  json += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20) {
      json += "\\u00";
      json += kDigits[byte >> 4];
      json += kDigits[byte & 15];
    } else {
      json += c;
    }
  }
  json += '"';
}

std::filesystem::path done_directory(const std::filesystem::path& batch_spool) { return batch_spool / "done"; }

}  // namespace diopter::store
