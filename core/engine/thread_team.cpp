#include "engine/thread_team.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <utility>

namespace diopter::engine {

SerialOperators::SerialOperators() : before_(at::get_num_threads()) { at::set_num_threads(1); }
SerialOperators::~SerialOperators() { at::set_num_threads(before_); }

ThreadTeam::ThreadTeam(int threads) {
  // A thread that starts takes over the number of the last at::set_num_threads(), so that is 1 until all have started.
  const SerialOperators serial;
  std::unique_lock lock(mutex_);
  busy_ = static_cast<std::size_t>(threads - 1);
  for (int other = 1; other < threads; ++other) others_.emplace_back([this] { serve(); });
  changed_.wait(lock, [this] { return busy_ == 0; });
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  for (std::thread& other : others_) other.join();
}

void ThreadTeam::call(const std::function<void()>& work) noexcept {
  try {
    work();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void ThreadTeam::serve() {
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
  std::unique_lock lock(mutex_);
  for (std::size_t served = 0;;) {
    if (--busy_ == 0) changed_.notify_all();
    changed_.wait(lock, [&] { return ended_ || round_ != served; });
    if (ended_) return;
    served = round_;
    lock.unlock();
    call(*work_);
    lock.lock();
  }
}

void ThreadTeam::run(const std::function<void()>& work) {
  const SerialOperators serial;
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    busy_ = others_.size();
    ++round_;
  }
  changed_.notify_all();
  call(work);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return busy_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace diopter::engine
