#include "base/canonical_json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::base {
namespace {

void write_string(std::string& out, const std::string& text) {
  if (const auto bad = invalid_utf8_offset(text)) {
    throw UserError(Exit::Usage, "text is not UTF-8 at byte " + std::to_string(*bad));
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      static constexpr char kDigits[] = "0123456789abcdef";
      switch (c) {
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
          out += "\\u00";
          out += kDigits[(c >> 4) & 15];
          out += kDigits[c & 15];
      }
    } else {
      out += c;
    }
  }
  out += '"';
}

void write(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: out += "null"; return;
    case Json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return;
    case Json::value_t::number_integer: out += std::to_string(value.get<std::int64_t>()); return;
    case Json::value_t::number_unsigned: out += std::to_string(value.get<std::uint64_t>()); return;
    case Json::value_t::number_float: {
      const double number = value.get<double>();
      if (!std::isfinite(number)) throw UserError(Exit::Usage, "a number is not finite");
      out += shortest(number);
      return;
    }
    case Json::value_t::string: write_string(out, value.get_ref<const std::string&>()); return;
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const auto& item : value) {
        if (!first) out += ',';
        first = false;
        write(out, item);
      }
      out += ']';
      return;
    }
    case Json::value_t::object: {  // Json's object is a std::map: keys come sorted bytewise
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.items()) {
        if (!first) out += ',';
        first = false;
        write_string(out, key);
        out += ':';
        write(out, item);
      }
      out += '}';
      return;
    }
    default: internal_error(__FILE__, __LINE__, "a JSON value has no canonical form");
  }
}

Json without_nonfinite(const Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return value;
  }
  if (!value.is_structured()) return value;
  Json out = value;
  for (auto& item : out) item = without_nonfinite(item);
  return out;
}

}  // namespace

std::string shortest(double value) {
  if (value == 0) return "0.0";  // also -0
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string canonical_json(const Json& value) {
  std::string out;
  write(out, value);
  return out;
}

std::string plain_json(const Json& value, int indent) {
  return without_nonfinite(value).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace diopter::base
