// What a writer was told to be safe, in memory that survives it: the judge compares the store with this.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>

namespace diopter::testing {

enum class Said : std::uint8_t { Started, Step, Small, Large, Table, Text, Event, Ended };

struct LedgerEntry {
  char run[27];
  Said what;
  std::int32_t step;
};

// Of one writer process. Only that process writes; the judge reads when it is dead.
struct Ledger {
  static constexpr std::uint32_t kMost = 8192;

  char writer[27];                      // empty: it died before it had an id
  std::atomic<std::uint32_t> appended;  // groups whose call returned
  std::atomic<std::uint32_t> sealed;    // of those, the ones before a seal() that returned
  std::atomic<bool> closed;             // close() returned
  LedgerEntry entries[kMost];

  bool full() const { return appended + 8 > kMost; }
  void add(const std::string& run, Said what, std::int32_t step = 0) {
    LedgerEntry& entry = entries[appended];
    std::memcpy(entry.run, run.c_str(), sizeof(entry.run));
    entry.what = what;
    entry.step = step;
    ++appended;
  }
};

class Ledgers {
 public:
  explicit Ledgers(std::size_t count)
      : bytes_(count * sizeof(Ledger)),
        first_(static_cast<Ledger*>(
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    if (first_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Ledgers() { ::munmap(first_, bytes_); }
  Ledgers(const Ledgers&) = delete;
  Ledgers& operator=(const Ledgers&) = delete;

  Ledger& operator[](std::size_t at) { return first_[at]; }  // zeroed by the kernel

 private:
  std::size_t bytes_;
  Ledger* first_;
};

}  // namespace diopter::testing
