// Where the two containers of torch.save hold the pickle and the storages.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "weights/pickle_values.hpp"

namespace diopter::weights {

struct TorchContainer {
  Pickled pickled;
  std::map<std::string, std::string_view, std::less<>> storages;  // by key
};

bool is_legacy_torch(std::string_view bytes);
TorchContainer read_torch_zip(std::string_view bytes, const std::string& name);
TorchContainer read_torch_legacy(std::string_view bytes, const std::string& name);

// Elements times their size. Refused where they cannot be counted.
std::uint64_t storage_bytes(const PickleValue& storage, const std::string& name);

}  // namespace diopter::weights
