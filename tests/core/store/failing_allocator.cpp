#include "core/store/failing_allocator.hpp"

#include <sqlite3.h>

#include <atomic>

namespace diopter::testing {
namespace {

sqlite3_mem_methods g_real_memory;
std::atomic<std::int64_t> g_allocations = 0, g_fail_at = 0;
std::atomic<bool> g_all_after = false, g_failed = false;

bool allocation_fails() {
  const std::int64_t call = ++g_allocations, at = g_fail_at;
  const bool now = at != 0 && (call == at || (g_all_after && call > at));
  if (now) g_failed = true;
  return now;
}

void* allocate(int size) { return allocation_fails() ? nullptr : g_real_memory.xMalloc(size); }
void* reallocate(void* old, int size) { return allocation_fails() ? nullptr : g_real_memory.xRealloc(old, size); }

bool install() {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &g_real_memory) != SQLITE_OK) return false;
  sqlite3_mem_methods methods = g_real_memory;
  methods.xMalloc = allocate;
  methods.xRealloc = reallocate;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
         sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
}

const bool kAllocatorInstalled = install();

}  // namespace

bool allocator_is_installed() { return kAllocatorInstalled; }

void fail_allocation(std::int64_t at, bool for_ever) {
  g_allocations = 0;
  g_failed = false;
  g_all_after = for_ever;
  g_fail_at = at;
}

std::int64_t allocations() { return g_allocations; }
bool allocation_failed() { return g_failed; }

}  // namespace diopter::testing
