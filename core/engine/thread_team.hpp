// Several threads that each compute a piece of their own, operators inside it serially: for many small computations
// that is several times faster than one after another with every operator spread over the threads, and the bits do not
// depend on how many there are.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace diopter::engine {

// While it lives, operators called by this thread stay on this thread.
class SerialOperators {
 public:
  SerialOperators();
  ~SerialOperators();
  SerialOperators(const SerialOperators&) = delete;
  SerialOperators& operator=(const SerialOperators&) = delete;

 private:
  int before_;
};

// Belongs to one thread, which is one of the team. The others sleep between runs; denormal numbers count as 0 there.
class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(others_.size()) + 1; }
  // Calls `work` once on each thread at the same time and returns when all have ended; then throws the first exception.
  // The threads' gradient mode is the default (on).
  void run(const std::function<void()>& work);

 private:
  void serve();
  void call(const std::function<void()>& work) noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;
  std::size_t round_ = 0, busy_ = 0;
  bool ended_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> others_;
};

}  // namespace diopter::engine
