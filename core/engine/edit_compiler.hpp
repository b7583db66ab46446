// Declared changes -> bound edits of one batch.
#pragma once

#include <vector>

#include <diopter_host/specs.hpp>

#include "engine/bus.hpp"
#include "engine/selection.hpp"
#include "engine/source_runs.hpp"
#include "engine/value_layout.hpp"

namespace diopter::engine {

// One hook point of an edit, and which of the edit's layers it is.
struct EditedPoint {
  HookId id;
  LayerRank layer;
};
std::vector<EditedPoint> points_of(const Edits::Item& item, const HookTable& hooks, const ModelInfo& info);

// Whether the change has a value for positions that follow a prompt: those of other runs end with theirs.
bool reaches_generated(const ChangeSpec& change);

// A change at one hook point, bound to a batch.
struct BoundChange {
  BoundEdit edit;
  std::vector<bool> touches;  // [row]: whether any of its values can be changed
};

class EditCompiler {
 public:
  EditCompiler(const Place& place, SourceRuns& sources, const at::TensorOptions& values)
      : place_(place), sources_(sources), values_(values) {}

  // First for all changes: which runs they take values from; then sources.make(); then bind.
  void want(const ChangeSpec& change, HookId id, const at::Tensor& align = {});
  // In a step a change that does not reach generated positions touches no row, and its edit has nothing to apply.
  BoundChange bind(const ChangeSpec& change, HookId id, const Where& where, Index number, const LayerRank& layer) const;

  // All of one edit of the user. Error "edit 1 of kind ... selects positions ... and would never fire".
  void want(const Edits::Item& item);
  std::vector<BoundEdit> bind(const Edits::Item& item, Index number, const std::string& kind) const;

  struct Replacement {
    at::Tensor value;      // broadcastable to the whole value
    at::Tensor available;  // bool [batch, pos], undefined: everywhere
  };
  // What the change puts at the selected part of a hook point, or adds there before its coefficient; not of scale and
  // custom.
  Replacement operand(const ChangeSpec& change, HookId id, const Where& where, const LayerRank& layer) const;
  // Whether a mean has values for this many positions.
  bool mean_reaches(const ChangeSpec& change, HookId id, Index positions) const;

 private:
  Replacement replacement(const ChangeSpec& change, HookId id, const Selection& selection,
                          const LayerRank& layer) const;
  Replacement captured(const CaptureData& from, HookId id) const;
  Replacement mean(const ChangeSpec& change, HookId id, const Selection& selection) const;

  const Place& place_;
  SourceRuns& sources_;
  at::TensorOptions values_;  // dtype and device of hook values
};

}  // namespace diopter::engine
