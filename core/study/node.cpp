#include "study/node.hpp"

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"

namespace diopter::study {
namespace {

std::string quoted_toml(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          static constexpr char kDigits[] = "0123456789ABCDEF";
          out += "\\u00";
          out += kDigits[(c >> 4) & 15];
          out += kDigits[c & 15];
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string float_toml(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return base::shortest(value);
}

}  // namespace

bool Node::is_array_of_tables() const {
  return type == Type::Array && !items.empty() &&
         std::all_of(items.begin(), items.end(), [](const Node& item) { return item.type == Type::Table; });
}

const Member* Node::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

Member* Node::find(std::string_view key) { return const_cast<Member*>(static_cast<const Node*>(this)->find(key)); }

std::string type_name(const Node& node) {
  switch (node.type) {
    case Node::Type::Table: return "a table";
    case Node::Type::Array: return "a list";
    case Node::Type::String: return "a string";
    case Node::Type::Integer: return "a whole number";
    case Node::Type::Float: return "a number with a fraction";
    case Node::Type::Boolean: return "true or false";
    case Node::Type::Date: return "a date";
    case Node::Type::Null: return "null";
  }
  return {};
}

std::string toml_text(const Node& node) {
  switch (node.type) {
    case Node::Type::String: return quoted_toml(node.text);
    case Node::Type::Date: return node.text;
    case Node::Type::Integer: return std::to_string(node.integer);
    case Node::Type::Float: return float_toml(node.number);
    case Node::Type::Boolean: return node.boolean ? "true" : "false";
    case Node::Type::Null: return "null";
    case Node::Type::Array: {
      std::string out = "[";
      for (const auto& item : node.items) out += (out.size() > 1 ? ", " : "") + toml_text(item);
      return out + "]";
    }
    case Node::Type::Table: {
      std::string out;
      for (const auto& m : node.members) {
        out += out.empty() ? "{ " : ", ";
        out += toml_key(m.key) + " = " + toml_text(m.value);
      }
      return out.empty() ? "{}" : out + " }";
    }
  }
  return {};
}

std::string toml_key(std::string_view key) {
  return is_bare_key(key) ? std::string(key) : quoted_toml(std::string(key));
}

std::string brief(const Node& node) { return base::printable(toml_text(node), 60); }

base::Json to_json(const Node& node) {
  switch (node.type) {
    case Node::Type::String:
    case Node::Type::Date: return node.text;
    case Node::Type::Integer: return node.integer;
    case Node::Type::Float: return node.number;
    case Node::Type::Boolean: return node.boolean;
    case Node::Type::Null: return nullptr;
    case Node::Type::Array: {
      base::Json out = base::Json::array();
      for (const auto& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case Node::Type::Table: {
      base::Json out = base::Json::object();
      for (const auto& m : node.members) out[m.key] = to_json(m.value);
      return out;
    }
  }
  return nullptr;
}

Node node_of(const base::Json& value) {
  Node out;
  if (value.is_string()) {
    out.type = Node::Type::String;
    out.text = value.get<std::string>();
  } else if (value.is_boolean()) {
    out.type = Node::Type::Boolean;
    out.boolean = value.get<bool>();
  } else if (value.is_number_integer()) {
    out.type = Node::Type::Integer;
    out.integer = value.get<std::int64_t>();
    out.number = static_cast<double>(out.integer);
  } else if (value.is_number_float()) {
    out.type = Node::Type::Float;
    out.number = value.get<double>();
  } else if (value.is_array()) {
    out.type = Node::Type::Array;
    for (const auto& item : value) out.items.push_back(node_of(item));
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) out.members.push_back({key, {}, node_of(item)});
  } else {
    out.type = Node::Type::Null;
  }
  return out;
}

}  // namespace diopter::study
