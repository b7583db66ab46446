#include "engine/train_gradient.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <condition_variable>
#include <mutex>

namespace diopter::engine {
namespace {

// Hands out indices and lets their owners through in order.
class Turns {
 public:
  explicit Turns(std::size_t count) : count_(count) {}

  // false: all are taken, or somebody failed.
  bool take(std::size_t& index) {
    const std::lock_guard lock(mutex_);
    if (failed_ || next_ == count_) return false;
    index = next_++;
    return true;
  }

  // `work` runs after that of every lower index, one at a time; not at all once somebody failed.
  void in_order(std::size_t index, const std::function<void()>& work) {
    std::unique_lock lock(mutex_);
    passed_.wait(lock, [&] { return failed_ || done_ == index; });
    if (failed_) return;
    work();
    ++done_;
    passed_.notify_all();
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    passed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable passed_;
  const std::size_t count_;
  std::size_t next_ = 0, done_ = 0;
  bool failed_ = false;
};

void add(const std::vector<at::Tensor>& parameters, const torch::autograd::variable_list& gradients) {
  const at::NoGradGuard no_grad;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (!gradients[p].defined()) continue;
    at::Tensor& sum = parameters[p].mutable_grad();
    if (sum.defined()) {
      sum.add_(gradients[p]);
    } else {
      sum = gradients[p].is_contiguous() ? gradients[p] : gradients[p].contiguous();
    }
  }
}

}  // namespace

double accumulate_gradients(ThreadTeam& team, const std::vector<at::Tensor>& parameters, std::size_t count,
                            double share, const std::function<at::Tensor(std::size_t)>& loss) {
  double sum = 0;
  Turns turns(count);
  const auto work = [&] {
    const at::AutoGradMode with_gradients(true);  // a thread's own setting; a run has it off
    for (std::size_t index = 0; turns.take(index);) {
      const at::Tensor value = loss(index);
      const auto gradients =
          torch::autograd::grad({value}, parameters, {at::full({}, share, value.options())}, {}, false, true);
      turns.in_order(index, [&] {
        sum += value.item<double>();
        add(parameters, gradients);
      });
    }
  };
  team.run([&] {
    try {
      work();
    } catch (...) {
      turns.fail();
      throw;
    }
  });
  return sum;
}

}  // namespace diopter::engine
