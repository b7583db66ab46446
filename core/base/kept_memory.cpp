#include "base/kept_memory.hpp"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace diopter::base {

#ifdef __GLIBC__
void keep_freed_memory() noexcept {
  ::mallopt(M_MMAP_MAX, 0);         // no block of its own for a large request: that would be unmapped when freed
  ::mallopt(M_TRIM_THRESHOLD, -1);  // never shrink
}

std::int64_t kept_free_memory() noexcept { return static_cast<std::int64_t>(::mallinfo2().fordblks); }
#else
void keep_freed_memory() noexcept {}
std::int64_t kept_free_memory() noexcept { return 0; }
#endif

}  // namespace diopter::base
