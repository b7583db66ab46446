#include "weights/torch_file.hpp"

#include <fmt/format.h>

#include <bit>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "weights/pickle_json.hpp"
#include "weights/pickle_reader.hpp"
#include "weights/torch_container.hpp"

namespace diopter::weights {

static_assert(std::endian::native == std::endian::little, "torch data is little-endian and is used as mapped");

namespace {

using base::Json;
using Kind = PickleValue::Kind;

constexpr std::size_t kMostTensors = 100'000;  // names may share a value: more of them than the pickle has bytes for

bool holds_tensors(const Pickled& p, const PickleValue& value) {
  if (value.kind != Kind::Dict) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    if (p[value.items[i]].kind == Kind::Tensor) return true;
  }
  return false;
}

std::uint32_t find_state_dict(const Pickled& p, const std::string& name) {
  const PickleValue& top = p[p.top];
  if (top.kind != Kind::Dict)
    refuse_torch(name, "expected a state dict, got something else", "save model.state_dict()");
  for (const char* key : {"model", "state_dict", "model_state_dict", "module"}) {
    for (std::size_t i = 0; i < top.items.size(); i += 2) {
      if (p[top.items[i]].text == key && holds_tensors(p, p[top.items[i + 1]])) return top.items[i + 1];
    }
  }
  if (!holds_tensors(p, top)) {
    std::string keys;
    for (std::size_t i = 0; i < top.items.size() && keys.size() < 200; i += 2)
      keys += (keys.empty() ? "" : ", ") + base::printable(p[top.items[i]].text, 40);
    refuse_torch(name, fmt::format("expected tensors by name in it, or under 'model' or 'state_dict', got [{}]", keys),
                 "save model.state_dict()");
  }
  return p.top;
}

// How many elements of its storage the tensor reaches; 0: it has none.
std::uint64_t reach(const PickleTensor& t, const std::string& what, const std::string& name) {
  std::uint64_t last = static_cast<std::uint64_t>(t.offset), count = 1;
  bool overflow = false, empty = false;
  for (std::size_t i = 0; i < t.shape.size(); ++i) {
    if (t.shape[i] == 0) {
      empty = true;
      continue;
    }
    const auto size = static_cast<std::uint64_t>(t.shape[i]), stride = static_cast<std::uint64_t>(t.strides[i]);
    std::uint64_t step = 0;
    overflow = overflow || __builtin_mul_overflow(size - 1, stride, &step) ||
               __builtin_add_overflow(last, step, &last) || __builtin_mul_overflow(count, size, &count);
  }
  if (overflow || count > INT64_MAX / 8 || last > INT64_MAX / 8)
    refuse_torch(name, fmt::format("{} of shape {} has more elements than can be counted", what, shape_text(t.shape)));
  return empty ? 0 : last + 1;
}

bool is_row_major(const PickleTensor& t) {
  std::int64_t expected = 1;
  for (std::size_t i = t.shape.size(); i > 0; --i) {
    if (t.shape[i - 1] != 1 && t.strides[i - 1] != expected) return false;
    expected *= t.shape[i - 1];
  }
  return true;
}

TensorView view_of(const TorchContainer& file, const PickleTensor& t, const std::string& key,
                   const std::shared_ptr<const void>& owner, const std::string& name) {
  const std::string what = fmt::format("tensor '{}'", base::printable(key, 80));
  const PickleValue& storage = file.pickled[t.storage];
  const auto found = file.storages.find(storage.text);
  if (found == file.storages.end())
    refuse_torch(
        name, fmt::format("expected the data of {} as record '{}', got none", what, base::printable(storage.text, 40)));
  if (const std::uint64_t expected = storage_bytes(storage, name); found->second.size() != expected) {
    refuse_torch(name,
                 fmt::format("{}: expected {} bytes in its storage, got {}", what, expected, found->second.size()));
  }
  const std::uint64_t end = reach(t, what, name);
  if (end > static_cast<std::uint64_t>(storage.whole)) {
    refuse_torch(name, fmt::format("{} of shape {} reaches element {} of a storage of {}", what, shape_text(t.shape),
                                   end, storage.whole));
  }
  const std::size_t size = element_size(storage.dtype);
  TensorView view{storage.dtype, t.shape, {}, owner};
  if (end == 0) return view;
  const auto begin = static_cast<std::uint64_t>(t.offset);
  view.bytes = found->second.substr(begin * size, (end - begin) * size);
  if (!is_row_major(t)) view.strides = t.strides;
  return view;
}

// The outermost dict without the tensors that are weights.
Json document_of(const Pickled& p, std::uint32_t state_dict, const std::string& name) {
  Json out = Json::object();
  PickleJson json(p, name);
  const auto& items = p[p.top].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const bool weights = items[i + 1] == state_dict || (p.top == state_dict && p[items[i + 1]].kind == Kind::Tensor);
    if (!weights) out[pickle_key(p, items[i], name)] = json.of(items[i + 1]);
  }
  return out;
}

}  // namespace

bool is_torch_file(std::string_view bytes) { return bytes.starts_with("PK\x03\x04") || is_legacy_torch(bytes); }

TorchFile read_torch_file(std::string_view bytes, const std::shared_ptr<const void>& owner, const std::string& name) {
  const TorchContainer file = is_legacy_torch(bytes) ? read_torch_legacy(bytes, name) : read_torch_zip(bytes, name);
  const Pickled& p = file.pickled;
  const std::uint32_t state_dict = find_state_dict(p, name);
  TorchFile out;
  const auto& items = p[state_dict].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const PickleValue& value = p[items[i + 1]];
    if (value.kind != Kind::Tensor) continue;
    if (out.tensors.size() == kMostTensors)
      refuse_torch(name, fmt::format("expected at most {} tensors", kMostTensors));
    const std::string tensor = pickle_key(p, items[i], name);
    // As in Python the last of two equal keys counts.
    out.tensors.insert_or_assign(tensor,
                                 view_of(file, p.tensors[static_cast<std::size_t>(value.whole)], tensor, owner, name));
  }
  out.document = document_of(p, state_dict, name);
  return out;
}

}  // namespace diopter::weights
