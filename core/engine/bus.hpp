// The hook bus: what one forward shows to whom. Edits and observers are added, frozen into flat tables, and served at
// each hook point: edits first, in the order added, then observers. Counts what fired.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <vector>

#include <diopter/hook_name.hpp>

#include "model/tap.hpp"

namespace diopter::engine {

// A change of one hook point's value, made for one batch.
struct BoundEdit {
  HookId id = kNoHook;
  Index number = 1;  // of the edit as the user wrote it, from 1; several bound edits may share it
  // [forward] value -> new value of the same shape and dtype; never writes into its argument. May throw Error.
  std::function<at::Tensor(const at::Tensor&)> apply;
};

// [forward] Sees the value after all edits; may keep it (the forward does not write into what was shown).
using Observer = std::function<void(HookId, const at::Tensor&)>;

// One forward, one bus. Not shared between threads.
class HookBus final : public model::Tap {
 public:
  explicit HookBus(const HookTable& hooks) : hooks_(hooks) {}

  void add(BoundEdit edit);
  void observe(std::span<const HookId> ids, Observer observer);
  void freeze();  // no additions after it; before the forward

  // Error "failed at hook 'X' (edit 2): ..." for what an edit throws; Stopped passes.
  at::Tensor at(HookId id, at::Tensor value) override;

  // After the forward: an edit or observer that never fired is an Error. Returns the numbers of edits of which no part
  // changed a bit.
  std::vector<Index> finish() const;
  const BoundEdit* edit_of(std::span<const Point> points) const;  // the first at any of them; null: none

 private:
  struct Span {
    std::uint32_t begin = 0, end = 0;
  };
  struct Fires {
    Index count = 0;
    bool changed = false;
  };
  at::Tensor edited(std::size_t edit, const at::Tensor& value);

  const HookTable& hooks_;
  bool frozen_ = false;
  std::vector<BoundEdit> edits_;  // sorted by hook, stable: the order added
  std::vector<Fires> fires_;      // [edit]
  std::vector<Observer> observers_;
  std::vector<std::pair<HookId, std::uint32_t>> observed_;  // sorted by hook: which observer
  std::vector<Index> observed_fires_;                       // parallel to observed_
  std::vector<Span> edit_spans_, observer_spans_;           // [hook id]
};

}  // namespace diopter::engine
