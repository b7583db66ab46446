// A tap for tests: wants given points, keeps what it saw, edits by a function.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "model/tap.hpp"

namespace diopter::model::testing {

class RecordingTap : public Tap {
 public:
  using Edit = std::function<at::Tensor(HookId, const at::Tensor&)>;

  RecordingTap(const HookTable& hooks, const std::vector<HookId>& wanted, Edit edit = nullptr)
      : edit_(std::move(edit)) {
    wanted_.resize(static_cast<std::size_t>(hooks.size()));
    for (const HookId id : wanted) wanted_[static_cast<std::size_t>(id)] = 1;
  }
  static RecordingTap all(const HookTable& hooks, Edit edit = nullptr) {
    std::vector<HookId> every;
    for (Index id = 0; id < hooks.size(); ++id) every.push_back(static_cast<HookId>(id));
    return RecordingTap(hooks, every, std::move(edit));
  }

  at::Tensor at(HookId id, at::Tensor value) override {
    order.push_back(id);
    values[id] = value;
    return edit_ ? edit_(id, value) : value;
  }

  std::vector<HookId> order;
  std::map<HookId, at::Tensor> values;  // as shown, before the edit; not copied

 private:
  Edit edit_;
};

}  // namespace diopter::model::testing
