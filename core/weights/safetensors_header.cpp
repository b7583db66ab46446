#include "weights/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "weights/tensor_view.hpp"

namespace diopter::weights {
namespace {

using base::Exit;
using base::Json;
using base::UserError;

[[noreturn]] void refuse_file(const std::string& file, const std::string& defect) {
  throw UserError(Exit::Refused, fmt::format("{} is not a readable safetensors file: {}", file, defect),
                  "fetch or export the file again", "weights.safetensors");
}

std::uint64_t read_length(std::string_view bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = (value << 8) | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

// Names from the file may be long or hold anything; a message shows them short and printable.
std::string shown(const std::string& name) {
  std::string text =
      base::plain_json(name.size() > 80 ? Json("<name of " + std::to_string(name.size()) + " bytes>") : Json(name));
  return "tensor " + text;
}

std::string header_text(std::string_view file, const std::string& name) {
  if (file.size() < 8) {
    refuse_file(name, fmt::format("expected at least 8 bytes (the header's length), got {}", file.size()));
  }
  const std::uint64_t length = read_length(file);
  if (length > kMaximalHeader) {
    refuse_file(name, fmt::format("expected a header of at most {} bytes, got a length of {}", kMaximalHeader, length));
  }
  if (length > file.size() - 8) {
    refuse_file(name, fmt::format("expected a header of {} bytes, got only {} bytes after its length (cut short?)",
                                  length, file.size() - 8));
  }
  const std::string text(file.substr(8, length));
  if (text.empty() || text.front() != '{') refuse_file(name, "expected a header that begins with '{'");
  return text;
}

// nlohmann::json keeps the last of two equal keys; here a second one is a defect.
class DuplicateKeys {
 public:
  explicit DuplicateKeys(const std::string& file) : file_(file) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 3) refuse_file(file_, "expected at most 3 levels of JSON in the header, got more");
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      refuse_file(file_, fmt::format("expected every key once, got {} twice", base::plain_json(parsed)));
    }
    return true;
  }

 private:
  const std::string& file_;
  std::vector<std::set<std::string>> open_;
};

Json parse_json(const std::string& text, const std::string& name) {
  DuplicateKeys duplicates(name);
  Json header;
  try {
    header = Json::parse(
        text, [&](int depth, Json::parse_event_t event, Json& parsed) { return duplicates(depth, event, parsed); });
  } catch (const Json::exception&) {
    refuse_file(name, "expected valid JSON in UTF-8 in the header, got something else");
  }
  if (!header.is_object()) refuse_file(name, "expected a JSON object as header");
  return header;
}

std::map<std::string, std::string> parse_metadata(const Json& value, const std::string& name) {
  if (!value.is_object()) refuse_file(name, "expected __metadata__ to be an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      refuse_file(name, fmt::format("expected only strings in __metadata__, got {} at {}", text.type_name(),
                                    base::plain_json(key)));
    }
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

void check_keys(const Json& entry, const std::string& tensor, const std::string& name) {
  if (!entry.is_object())
    refuse_file(name, fmt::format("expected {} to be an object, got {}", tensor, entry.type_name()));
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!entry.contains(key)) refuse_file(name, fmt::format("{} has no '{}'", tensor, key));
  }
  for (const auto& [key, ignored] : entry.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      refuse_file(name, fmt::format("{} has the unknown key {} (expected dtype, shape, data_offsets)", tensor,
                                    base::plain_json(key)));
    }
  }
}

Dtype parse_dtype(const Json& value, const std::string& tensor, const std::string& name) {
  if (!value.is_string())
    refuse_file(name, fmt::format("{}: expected a string as dtype, got {}", tensor, value.type_name()));
  const std::string text = value.get<std::string>();
  const auto dtype = dtype_from_name(text);
  if (!dtype)
    refuse_file(name, fmt::format("{} has the unknown dtype {}{}", tensor, base::plain_json(value),
                                  base::did_you_mean(text, dtype_names())));
  return *dtype;
}

std::vector<std::int64_t> parse_shape(const Json& value, const std::string& tensor, const std::string& name) {
  if (!value.is_array())
    refuse_file(name, fmt::format("{}: expected a list as shape, got {}", tensor, value.type_name()));
  std::vector<std::int64_t> shape;
  for (const Json& size : value) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      refuse_file(name,
                  fmt::format("{}: expected sizes of 0 or more as shape, got {}", tensor, base::plain_json(size)));
    }
    shape.push_back(size.get<std::int64_t>());
  }
  return shape;
}

// product(shape) * element size, refused when it does not fit 63 bits. A size of 0 does not excuse an overflow
// elsewhere.
std::uint64_t byte_count(const StoredTensor& t, const std::string& tensor, const std::string& name) {
  std::uint64_t bytes = element_size(t.dtype);
  bool empty = false;
  for (const std::int64_t size : t.shape) {
    if (size == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes) ||
        bytes > static_cast<std::uint64_t>(INT64_MAX)) {
      refuse_file(name, fmt::format("{} of shape {} has more bytes than can be counted", tensor, shape_text(t.shape)));
    }
  }
  return empty ? 0 : bytes;
}

StoredTensor parse_tensor(const std::string& key, const Json& entry, std::uint64_t data_size, const std::string& name) {
  const std::string tensor = shown(key);
  check_keys(entry, tensor, name);
  StoredTensor t;
  t.name = key;
  t.dtype = parse_dtype(entry["dtype"], tensor, name);
  t.shape = parse_shape(entry["shape"], tensor, name);
  const Json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    refuse_file(name, fmt::format("{}: expected data_offsets [begin, end] of whole numbers", tensor));
  }
  t.begin = offsets[0].get<std::uint64_t>();
  t.end = offsets[1].get<std::uint64_t>();
  if (t.begin > t.end || t.end > data_size) {
    refuse_file(name, fmt::format("{}: expected data_offsets within the {} bytes of data, got [{}, {}]", tensor,
                                  data_size, t.begin, t.end));
  }
  const std::uint64_t expected = byte_count(t, tensor, name);
  if (t.end - t.begin != expected) {
    refuse_file(name, fmt::format("{}: expected {} bytes for shape {} of {}, got {}", tensor, expected,
                                  shape_text(t.shape), dtype_name(t.dtype), t.end - t.begin));
  }
  return t;
}

void check_cover(const std::vector<StoredTensor>& tensors, std::uint64_t data_size, const std::string& name) {
  std::uint64_t at = 0;
  for (const StoredTensor& t : tensors) {
    if (t.begin != at) {
      refuse_file(name,
                  fmt::format("expected {} to begin at byte {} of the data, where the one before it ends, got {} ({})",
                              shown(t.name), at, t.begin, t.begin < at ? "tensors overlap" : "a hole"));
    }
    at = t.end;
  }
  if (at != data_size) {
    refuse_file(name, fmt::format("expected {} bytes of data after the header, got {}", at, data_size));
  }
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

SafetensorsHeader parse_safetensors_header(std::string_view file, const std::string& name) {
  const std::string text = header_text(file, name);
  const Json json = parse_json(text, name);
  SafetensorsHeader header;
  header.data_start = 8 + text.size();
  const std::uint64_t data_size = file.size() - header.data_start;
  for (const auto& [key, value] : json.items()) {
    if (key == "__metadata__") {
      header.metadata = parse_metadata(value, name);
    } else {
      header.tensors.push_back(parse_tensor(key, value, data_size, name));
    }
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_cover(header.tensors, data_size, name);
  return header;
}

}  // namespace diopter::weights
