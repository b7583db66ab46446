// Writing to a store: the lock, BEGIN IMMEDIATE ... COMMIT, perhaps a checkpoint, release. Nothing is ever committed or
// checkpointed outside of this.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "store/connection.hpp"
#include "store/lock.hpp"
#include "store/opener.hpp"

namespace diopter::store {

// A store opened for writing. One thread at a time.
class Store {
 public:
  explicit Store(std::filesystem::path directory, const StoreOptions& options = {});

  // One transaction. `work` may run again when another process was in the way (a retry of the whole transaction, for up
  // to 30 s), so it must not have effects outside the database that cannot be repeated. What it throws rolls back.
  void transact(const std::function<void(Connection&)>& work);
  // Moves the WAL into the database and empties it, if no reader is in the way; false when one is.
  bool checkpoint();

  Connection& connection() noexcept { return *db_; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<Connection> db_;
};

class WriteSession {
 public:
  explicit WriteSession(Store& store, std::chrono::milliseconds patience = std::chrono::seconds(30));
  ~WriteSession();  // rolls back what was not committed

  Connection& db() noexcept { return store_.connection(); }
  void commit();      // and a checkpoint when the WAL has passed 64 MiB
  bool checkpoint();  // after commit(), still under the lock

 private:
  Store& store_;
  std::optional<StoreLock> lock_;
};

inline constexpr std::uintmax_t kCheckpointBytes = 64u << 20;

}  // namespace diopter::store
