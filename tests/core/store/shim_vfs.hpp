// A VFS over the real one. It lets the n-th write, sync, open or truncate fail, and it watches the rule of one writer:
// no byte goes into a database or a WAL unless somebody holds the lock of that store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace diopter::testing {

struct Fault {
  std::int64_t at = 0;    // the n-th call fails, from 1; 0: none
  bool for_ever = false;  // and every one after it
  bool no_space = false;  // writes fail with SQLITE_FULL instead of SQLITE_IOERR_WRITE
};

// Registers the shim as the default VFS, once per process, before the first connection.
void install_shim_vfs();
void arm(const Fault& fault);
std::int64_t calls_since_arm();
bool fault_fired();

// Writes without the lock and transactions that write but began deferred: what the rule forbids. Empty is good.
std::vector<std::string> take_violations();

}  // namespace diopter::testing
