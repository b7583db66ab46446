#include "weights/pickle_json.hpp"

#include "base/utf8.hpp"
#include "weights/pickle_reader.hpp"

namespace diopter::weights {
namespace {

using base::Json;
using Kind = PickleValue::Kind;

}  // namespace

Json PickleJson::at_depth(std::uint32_t index, int depth) {
  constexpr int kDeepest = 64;
  constexpr std::size_t kMostValues = 1'000'000, kMostText = 64u << 20;
  const PickleValue& value = p_[index];
  text_ += value.text.size();
  if (depth > kDeepest || ++values_ > kMostValues || text_ > kMostText)
    refuse_torch(file_, "expected plain settings beside its tensors, got values that are too deep or too many");
  switch (value.kind) {
    case Kind::Bool: return value.whole != 0;
    case Kind::Whole: return value.whole;
    case Kind::Real: return value.real;
    case Kind::Text: return base::escape_invalid_utf8(value.text);
    case Kind::Tuple:
    case Kind::List: return list(value, depth);
    case Kind::Dict: return dict(value, depth);
    case Kind::Tensor:
      return {{"tensor", dtype_name(value.dtype)}, {"shape", p_.tensors[static_cast<std::size_t>(value.whole)].shape}};
    case Kind::None:
    case Kind::Global:
    case Kind::Storage: break;
  }
  return {};
}

Json PickleJson::list(const PickleValue& value, int depth) {
  Json out = Json::array();
  for (const std::uint32_t item : value.items) out.push_back(at_depth(item, depth + 1));
  return out;
}

Json PickleJson::dict(const PickleValue& value, int depth) {
  Json out = Json::object();
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    text_ += p_[value.items[i]].text.size();
    out[pickle_key(p_, value.items[i], file_)] = at_depth(value.items[i + 1], depth + 1);
  }
  return out;
}

std::string pickle_key(const Pickled& pickled, std::uint32_t value, const std::string& file) {
  const PickleValue& key = pickled[value];
  if (key.kind == Kind::Text) return base::escape_invalid_utf8(key.text);
  if (key.kind == Kind::Whole) return std::to_string(key.whole);
  refuse_torch(file, "expected texts or whole numbers as keys of its dicts, got something else");
}

}  // namespace diopter::weights
