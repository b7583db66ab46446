// Runs forwards for a session: never two at once, stops when asked, never with autograd.
#pragma once

#include <map>
#include <span>

#include <diopter_host/backends.hpp>

#include "engine/forward.hpp"
#include "engine/source_runs.hpp"

namespace diopter::engine {

class Runner {
 public:
  // `exact`: the same weights with products in float32, when those of `model` are not; may be null.
  Runner(const model::Transformer& model, RunMonitor& monitor, const model::Transformer* exact = nullptr)
      : model_(model), exact_(exact), monitor_(monitor) {}

  const model::Transformer& model() const noexcept { return model_; }
  const ModelInfo& info() const noexcept { return model_.info(); }
  const HookTable& hooks() const noexcept { return model_.hooks(); }
  RunMonitor& monitor() const noexcept { return monitor_; }
  at::TensorOptions values() const;  // dtype and device of hook values

  // Error inside an EditFn, a metric or on_chunk: a forward cannot be nested.
  void refuse_nested() const;
  // `bus` (may be null) is frozen here. The first call measures what a low dtype costs and records it. Edits that
  // changed no bit are appended to `unchanged`, or recorded when it is null. Throws Stopped after an interrupt.
  ForwardResult run(const RowBatch& batch, HookBus* bus, const ForwardPath& path,
                    std::vector<Index>* unchanged = nullptr, const model::Rows& rows = {});
  // Of the matrix products of all runs so far, and of what was unembedded of them.
  double operations() const noexcept { return *operations_; }
  void count_operations(double more) noexcept { *operations_ += more; }  // of what ran beside
  ForwardResult counted(ForwardResult result) const;                     // its logits count here
  // An unedited forward that keeps whole values.
  HookValues keep(const RowBatch& batch, std::span<const HookId> ids, const ForwardPath& path);

  // While one lives, refuse_nested() throws.
  class Busy {
   public:
    explicit Busy(Runner& runner) : runner_(runner) { ++runner_.busy_; }
    ~Busy() { --runner_.busy_; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Runner& runner_;
  };

 private:
  double operations_of(const RowBatch& batch, const ForwardPath& path) const;

  const model::Transformer& model_;
  const model::Transformer* exact_;
  RunMonitor& monitor_;
  int busy_ = 0;
  std::shared_ptr<double> operations_ = std::make_shared<double>(0);  // results may outlive this
  bool precision_known_ = false;  // of a low dtype or products in one: measured at the first forward
};

}  // namespace diopter::engine
