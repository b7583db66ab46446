// The version of diopter that writes into stores and plans.
#pragma once

#include <string_view>

namespace diopter::store {

constexpr std::string_view program_version() { return DIOPTER_STORE_PROGRAM_VERSION; }

}  // namespace diopter::store
