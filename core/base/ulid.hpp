// ULID: 48 bits of milliseconds and 80 random bits, 26 characters of Crockford's base 32. Fresh randomness each time.
#pragma once

#include <string>
#include <string_view>

namespace diopter::base {

std::string new_ulid();
// The last 8 characters: random, hence what people type and tables show (runs of one batch share the first 10).
std::string short_id(std::string_view ulid);

}  // namespace diopter::base
