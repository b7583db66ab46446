// What a pickle of torch.save holds, as plain data: no code was run to make it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "weights/dtype.hpp"

namespace diopter::weights {

// The only names that a pickle may use, each with a meaning of its own here; all others would run code.
enum class PickleGlobal : std::uint8_t {
  OrderedDict,
  RebuildTensor,
  RebuildTensorV2,
  RebuildParameter,
  RebuildParameterWithState,
  Size,
  Device,
  Layout,
  Storage  // torch.FloatStorage ...; the value's dtype says which
};

struct PickleValue {
  enum class Kind : std::uint8_t { None, Bool, Whole, Real, Text, Tuple, List, Dict, Global, Storage, Tensor };
  Kind kind = Kind::None;
  PickleGlobal global = PickleGlobal::OrderedDict;  // Global
  Dtype dtype = Dtype::F32;                         // Storage, Tensor; of Global::Storage
  std::int64_t whole = 0;                           // Bool, Whole; Storage: elements; Tensor: index of its PickleTensor
  double real = 0;
  std::string_view text = {};             // Text; Storage: its key. Lies in the pickle's bytes
  std::vector<std::uint32_t> items = {};  // Tuple, List: values; Dict: key, value, key, value, ... as they came
};

struct PickleTensor {
  std::uint32_t storage = 0;  // a value
  std::int64_t offset = 0;    // of the first element, in elements; not yet compared with the storage
  std::vector<std::int64_t> shape, strides;
};

// Values refer to each other by index, cycles included: nothing about them is recursive unless a reader makes it so.
struct Pickled {
  std::vector<PickleValue> values;
  std::vector<PickleTensor> tensors;
  std::uint32_t top = 0;
  std::size_t end = 0;  // bytes read

  const PickleValue& operator[](std::uint32_t index) const { return values[index]; }
};

}  // namespace diopter::weights
