// What the C library does with memory that is freed.
//
// By default it returns every large block to the system and gets it back page by page, each cleared anew: a forward of
// which every value is kept then spends as long in the kernel as in its products. A program that makes tensors of the
// same sizes again and again keeps what it has freed. Its resident memory so stays at its peak until it ends.
#pragma once

#include <cstdint>

namespace diopter::base {

// At a program's start, before other threads. Without effect where malloc is not glibc's.
void keep_freed_memory() noexcept;

// [any] Bytes that were freed and kept: for this process as free as what the system calls available.
std::int64_t kept_free_memory() noexcept;

}  // namespace diopter::base
