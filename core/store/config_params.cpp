#include "store/config_params.hpp"

#include <limits>

namespace diopter::store {
namespace {

ParamCell leaf(const std::string& key, const base::Json& value) {
  using Kind = base::Json::value_t;
  switch (value.type()) {
    case Kind::null: return {key, {}, "null"};
    case Kind::boolean: return {key, std::int64_t{value.get<bool>()}, "bool"};
    case Kind::number_integer: return {key, value.get<std::int64_t>(), "int"};
    case Kind::number_unsigned:
      if (value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) break;
      return {key, value.get<std::int64_t>(), "int"};
    case Kind::number_float: return {key, value.get<double>(), "float"};
    case Kind::string: {
      const auto& text = value.get_ref<const std::string&>();
      return {key, text, text.size() > kTextRefBytes ? "text_ref" : "text"};
    }
    default: break;
  }
  return {key, value.dump(), "json"};
}

void walk(const std::string& prefix, const base::Json& value, std::vector<ParamCell>& out) {
  if (!value.is_object() || (value.empty() && !prefix.empty())) {
    out.push_back(leaf(prefix, value));
    return;
  }
  for (const auto& [key, item] : value.items()) walk(prefix.empty() ? key : prefix + '.' + key, item, out);
}

}  // namespace

std::vector<ParamCell> explode(const base::Json& config) {
  std::vector<ParamCell> out;
  walk("", config, out);
  return out;
}

}  // namespace diopter::store
