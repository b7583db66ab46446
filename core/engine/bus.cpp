#include "engine/bus.hpp"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <diopter/error.hpp>

#include "base/error.hpp"

namespace diopter::engine {
namespace {

// What an edit throws gains hook and number.
at::Tensor applied(const BoundEdit& edit, Text hook, const at::Tensor& value) {
  std::string why;
  try {
    return edit.apply(value);
  } catch (const Stopped&) {
    throw;
  } catch (const c10::Error& error) {
    why = error.what_without_backtrace();
  } catch (const std::exception& error) {
    why = error.what();
  }
  throw Error(fmt::format("failed at hook '{}' (edit {}): {}", hook, edit.number, why));
}

template <class Items, class IdOf, class Spans>
void index_by_hook(const Items& items, IdOf id_of, Spans& spans) {
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    auto& span = spans[static_cast<std::size_t>(id_of(items[i]))];
    if (span.begin == span.end) span.begin = i;
    span.end = i + 1;
  }
}

}  // namespace

void HookBus::add(BoundEdit edit) {
  DIOPTER_CHECK(!frozen_ && edit.id >= 0 && edit.id < hooks_.size(),
                "an edit was added to a frozen bus or for no hook");
  edits_.push_back(std::move(edit));
}

void HookBus::observe(std::span<const HookId> ids, Observer observer) {
  DIOPTER_CHECK(!frozen_, "an observer was added to a frozen bus");
  for (const HookId id : ids) observed_.emplace_back(id, static_cast<std::uint32_t>(observers_.size()));
  observers_.push_back(std::move(observer));
}

void HookBus::freeze() {
  frozen_ = true;
  const auto size = static_cast<std::size_t>(hooks_.size());
  std::stable_sort(edits_.begin(), edits_.end(), [](const BoundEdit& a, const BoundEdit& b) { return a.id < b.id; });
  std::stable_sort(observed_.begin(), observed_.end());
  fires_.assign(edits_.size(), {});
  observed_fires_.assign(observed_.size(), 0);
  edit_spans_.assign(size, {});
  observer_spans_.assign(size, {});
  index_by_hook(
      edits_, [](const BoundEdit& edit) { return edit.id; }, edit_spans_);
  index_by_hook(
      observed_, [](const auto& entry) { return entry.first; }, observer_spans_);
  wanted_.assign(size, 0);
  for (std::size_t id = 0; id < size; ++id) {
    wanted_[id] = edit_spans_[id].begin != edit_spans_[id].end || observer_spans_[id].begin != observer_spans_[id].end;
  }
}

at::Tensor HookBus::edited(std::size_t index, const at::Tensor& value) {
  const BoundEdit& edit = edits_[index];
  at::Tensor returned = applied(edit, hooks_[edit.id].name, value);
  Fires& fires = fires_[index];
  ++fires.count;
  fires.changed = fires.changed || !(returned.is_same(value) || at::equal(returned, value));
  return returned;
}

at::Tensor HookBus::at(HookId id, at::Tensor value) {
  const auto hook = static_cast<std::size_t>(id);
  for (auto i = edit_spans_[hook].begin; i < edit_spans_[hook].end; ++i) value = edited(i, value);
  for (auto i = observer_spans_[hook].begin; i < observer_spans_[hook].end; ++i) {
    observers_[observed_[i].second](id, value);
    ++observed_fires_[i];
  }
  return value;
}

std::vector<Index> HookBus::finish() const {
  std::set<Index> unchanged, changed;
  for (std::size_t i = 0; i < edits_.size(); ++i) {
    const BoundEdit& edit = edits_[i];
    if (fires_[i].count == 0) {
      throw Error(fmt::format("edit {} at '{}' never fired in this forward, so its result would be that of no edit.",
                              edit.number, hooks_[edit.id].name));
    }
    (fires_[i].changed ? changed : unchanged).insert(edit.number);
  }
  for (std::size_t i = 0; i < observed_.size(); ++i) {
    DIOPTER_CHECK(observed_fires_[i] == 1, fmt::format("hook '{}' fired {} times in one forward",
                                                       hooks_[observed_[i].first].name, observed_fires_[i]));
  }
  std::vector<Index> none;
  std::set_difference(unchanged.begin(), unchanged.end(), changed.begin(), changed.end(), std::back_inserter(none));
  return none;
}

const BoundEdit* HookBus::edit_of(std::span<const Point> points) const {
  const auto found = std::find_if(edits_.begin(), edits_.end(), [&](const BoundEdit& edit) {
    return std::find(points.begin(), points.end(), hooks_.point(edit.id)) != points.end();
  });
  return found == edits_.end() ? nullptr : &*found;
}

}  // namespace diopter::engine
