#include "weights/pickle_globals.hpp"

#include <fmt/format.h>

#include <array>

#include "base/utf8.hpp"
#include "weights/pickle_reader.hpp"

namespace diopter::weights {
namespace {

using Kind = PickleValue::Kind;

struct Known {
  std::string_view module, name;
  PickleGlobal global;
  Dtype dtype = Dtype::F32;
};

constexpr std::array kKnown{
    Known{"collections", "OrderedDict", PickleGlobal::OrderedDict},
    Known{"torch._utils", "_rebuild_tensor", PickleGlobal::RebuildTensor},
    Known{"torch._utils", "_rebuild_tensor_v2", PickleGlobal::RebuildTensorV2},
    Known{"torch._utils", "_rebuild_parameter", PickleGlobal::RebuildParameter},
    Known{"torch._utils", "_rebuild_parameter_with_state", PickleGlobal::RebuildParameterWithState},
    Known{"torch", "Size", PickleGlobal::Size},
    Known{"torch", "device", PickleGlobal::Device},
    Known{"torch.serialization", "_get_layout", PickleGlobal::Layout},
    Known{"torch", "BoolStorage", PickleGlobal::Storage, Dtype::Bool},
    Known{"torch", "ByteStorage", PickleGlobal::Storage, Dtype::U8},
    Known{"torch", "CharStorage", PickleGlobal::Storage, Dtype::I8},
    Known{"torch", "ShortStorage", PickleGlobal::Storage, Dtype::I16},
    Known{"torch", "IntStorage", PickleGlobal::Storage, Dtype::I32},
    Known{"torch", "LongStorage", PickleGlobal::Storage, Dtype::I64},
    Known{"torch", "HalfStorage", PickleGlobal::Storage, Dtype::F16},
    Known{"torch", "BFloat16Storage", PickleGlobal::Storage, Dtype::BF16},
    Known{"torch", "FloatStorage", PickleGlobal::Storage, Dtype::F32},
    Known{"torch", "DoubleStorage", PickleGlobal::Storage, Dtype::F64},
};

constexpr std::string_view kDtypeConstants[] = {"float16", "half",  "bfloat16", "float32", "float", "float64",
                                                "double",  "uint8", "int8",     "int16",   "short", "int32",
                                                "int",     "int64", "long",     "bool"};

// The values of a tuple that has between `least` and `most` of them.
const std::vector<std::uint32_t>& arguments_of(const Pickled& p, std::uint32_t tuple, std::size_t least,
                                               std::size_t most, const char* what, const std::string& file) {
  if (p[tuple].kind != Kind::Tuple || p[tuple].items.size() < least || p[tuple].items.size() > most)
    refuse_torch(file, fmt::format("expected {} with {} to {} arguments, got something else", what, least, most));
  return p[tuple].items;
}

std::int64_t whole_of(const Pickled& p, std::uint32_t value, const char* what, const std::string& file) {
  if (p[value].kind != Kind::Whole || p[value].whole < 0)
    refuse_torch(file, fmt::format("expected a whole number of 0 or more as {}, got something else", what));
  return p[value].whole;
}

std::vector<std::int64_t> wholes_of(const Pickled& p, std::uint32_t tuple, const char* what, const std::string& file) {
  constexpr std::size_t kMostDims = 16;  // no weight has as many
  std::vector<std::int64_t> out;
  for (const std::uint32_t item : arguments_of(p, tuple, 0, kMostDims, what, file))
    out.push_back(whole_of(p, item, what, file));
  return out;
}

PickleValue tensor(Pickled& p, const std::vector<std::uint32_t>& arguments, const std::string& file) {
  const PickleValue& storage = p[arguments[0]];
  if (storage.kind != Kind::Storage) refuse_torch(file, "expected a tensor made of a storage, got something else");
  PickleTensor made{.storage = arguments[0],
                    .offset = whole_of(p, arguments[1], "the offset of a tensor", file),
                    .shape = wholes_of(p, arguments[2], "the shape of a tensor", file),
                    .strides = wholes_of(p, arguments[3], "the strides of a tensor", file)};
  if (made.shape.size() != made.strides.size())
    refuse_torch(file, "expected a tensor with a stride for each size, got others");
  PickleValue out{.kind = Kind::Tensor, .dtype = storage.dtype, .whole = static_cast<std::int64_t>(p.tensors.size())};
  p.tensors.push_back(std::move(made));
  return out;
}

PickleValue parameter(const Pickled& p, std::uint32_t value, const std::string& file) {
  if (p[value].kind != Kind::Tensor) refuse_torch(file, "expected a parameter made of a tensor, got something else");
  return p[value];
}

// OrderedDict(): empty, filled later; OrderedDict([[key, value], ...]) is how Python 2 wrote it.
PickleValue ordered_dict(const Pickled& p, const std::vector<std::uint32_t>& arguments, const std::string& file) {
  PickleValue out{.kind = Kind::Dict};
  if (arguments.empty()) return out;
  if (p[arguments[0]].kind != Kind::List) refuse_torch(file, "expected an OrderedDict of a list, got something else");
  for (const std::uint32_t pair : p[arguments[0]].items) {
    if ((p[pair].kind != Kind::List && p[pair].kind != Kind::Tuple) || p[pair].items.size() != 2)
      refuse_torch(file, "expected an OrderedDict of pairs, got something else");
    out.items.insert(out.items.end(), p[pair].items.begin(), p[pair].items.end());
  }
  return out;
}

}  // namespace

PickleValue pickle_global(std::string_view module, std::string_view name, const std::string& file) {
  for (const Known& known : kKnown) {
    if (known.module == module && known.name == name)
      return {.kind = Kind::Global, .global = known.global, .dtype = known.dtype};
  }
  for (const std::string_view dtype : kDtypeConstants) {
    if (module == "torch" && name == dtype) return {.kind = Kind::Text, .text = dtype};
  }
  refuse_torch(
      file,
      fmt::format("to read it as Python does would run code: it names '{}.{}'; expected tensors, numbers, texts, "
                  "lists and dicts only",
                  base::printable(module, 60), base::printable(name, 60)),
      "if you trust it, load it in Python and save its state_dict() with safetensors.torch.save_file");
}

PickleValue pickle_call(Pickled& p, std::uint32_t callee, std::uint32_t arguments, const std::string& file) {
  if (p[callee].kind != Kind::Global) refuse_torch(file, "expected a call of a known name, got something else");
  const auto given = [&](std::size_t least, std::size_t most, const char* what) {
    return arguments_of(p, arguments, least, most, what, file);
  };
  switch (p[callee].global) {
    case PickleGlobal::OrderedDict: return ordered_dict(p, given(0, 1, "an OrderedDict"), file);
    case PickleGlobal::RebuildTensor: return tensor(p, given(4, 4, "a tensor"), file);
    case PickleGlobal::RebuildTensorV2: return tensor(p, given(6, 7, "a tensor"), file);
    case PickleGlobal::RebuildParameter: return parameter(p, given(3, 3, "a parameter")[0], file);
    case PickleGlobal::RebuildParameterWithState: return parameter(p, given(4, 4, "a parameter")[0], file);
    case PickleGlobal::Size: {
      const std::uint32_t sizes = given(1, 1, "a torch.Size")[0];
      if (p[sizes].kind != Kind::Tuple) refuse_torch(file, "expected a torch.Size of a tuple, got something else");
      return p[sizes];
    }
    case PickleGlobal::Device:
    case PickleGlobal::Layout: {
      const std::uint32_t word = given(1, 2, "a torch.device or layout")[0];
      if (p[word].kind != Kind::Text)
        refuse_torch(file, "expected a torch.device or layout by name, got something else");
      return p[word];
    }
    case PickleGlobal::Storage: break;
  }
  refuse_torch(file, "expected storages as records, got one made by a call");
}

PickleValue pickle_storage(const Pickled& p, std::uint32_t id, const std::string& file) {
  const auto& parts = arguments_of(p, id, 5, 6, "a storage's id", file);
  const PickleValue& type = p[parts[1]];
  const bool whole_storage = parts.size() == 5 || p[parts[5]].kind == Kind::None;  // else a view of before torch 0.4
  if (p[parts[0]].kind != Kind::Text || p[parts[0]].text != "storage" || type.kind != Kind::Global ||
      type.global != PickleGlobal::Storage || p[parts[2]].kind != Kind::Text || !whole_storage) {
    refuse_torch(file, "expected ids of storages only, got another persistent id");
  }
  return {.kind = Kind::Storage,
          .dtype = type.dtype,
          .whole = whole_of(p, parts[4], "the size of a storage", file),
          .text = p[parts[2]].text};
}

}  // namespace diopter::weights
