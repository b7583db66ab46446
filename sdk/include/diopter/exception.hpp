// For the code that DIOPTER_PLUGIN generates: the exception in flight as a code and a sentence.
#pragma once

#include <diopter/abi.h>
#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

// Inside a catch block only. Error -> REFUSED, Stopped -> STOPPED, c10::Error -> TORCH, out of memory -> NO_MEMORY,
// std::exception -> EXCEPTION, else NOT_AN_EXCEPTION with "an int" as its message. Returns the code. `status` may be
// null.
DIOPTER_API int32_t status_of_current_exception(diopter_status* status) noexcept;

}  // namespace abi1
}  // namespace diopter
