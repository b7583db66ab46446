// What the names in a pickle stand for: the allow-list, and what calling them makes.
#pragma once

#include <string>
#include <string_view>

#include "weights/pickle_values.hpp"

namespace diopter::weights {

// A class, function or constant (a dtype is the text "float32"). Refused, by name, if it is none of the allowed.
PickleValue pickle_global(std::string_view module, std::string_view name, const std::string& file);

// The result of calling the global `callee` with the tuple `arguments`, both values of `pickled`. Adds to
// pickled.tensors; may return a copy of a value that is there. Refused unless the arguments are those torch.save
// writes.
PickleValue pickle_call(Pickled& pickled, std::uint32_t callee, std::uint32_t arguments, const std::string& file);

// The storage of a persistent id: ("storage", type, key, location, elements).
PickleValue pickle_storage(const Pickled& pickled, std::uint32_t id, const std::string& file);

}  // namespace diopter::weights
