// SQLite's allocator with a fault in it: the n-th allocation fails, once or for ever. Small allocations are counted
// too: lookaside, which would serve them from memory taken when a connection opens, is off.
//
// The replacement happens before main(): SQLite takes it only before its first use. One executable for itself.
#pragma once

#include <cstdint>

namespace diopter::testing {

bool allocator_is_installed();
// The n-th allocation from now fails, n from 1; 0: none.
void fail_allocation(std::int64_t at, bool for_ever);
std::int64_t allocations();  // since fail_allocation
bool allocation_failed();    // since fail_allocation

}  // namespace diopter::testing
