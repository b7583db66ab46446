// Edits of a generation: bound to the prompts' forward, then anew to every step.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/workplace.hpp"

namespace diopter::engine {

// Which edits of the user fired and changed something, over all forwards of a call.
struct EditTally {
  std::set<Index> fired, changed;
  // Records edits that changed no bit, and those whose positions no text lived to see.
  void record(Index edits, RunMonitor& monitor) const;
};

// One batch of prompts and what follows them. Positions are absolute, so that an edit does the same with cached keys as
// in one forward over the whole text.
class GenerateEdits {
 public:
  // `last`: per prompt the last position that a step can reach. Refers to all it is given.
  GenerateEdits(Workplace& work, const Edits& edits, std::string kind, std::vector<Index> last, EditTally& tally);

  // Makes the runs that edits take values from. Error, before anything is run, for an edit that can never fire, and for
  // one that has no value at generated positions it names.
  void prepare();
  void add_to_prompts(HookBus& bus);
  void add_to_step(HookBus& bus, const RowBatch& step);
  void ran(const std::vector<Index>& unchanged);  // after the forward of what was added

 private:
  struct Item {
    const Edits::Item* edit;
    Index number;
    std::vector<EditedPoint> points;
    std::vector<Index> furthest;  // [prompt] last position of a step that it touches, kUnset: none
  };
  std::vector<Index> furthest_of(const Edits::Item& edit) const;
  void check_generated(const Item& item) const;
  void check_fires(const Item& item, const EditedPoint& point, const std::vector<bool>& touches) const;
  bool touches(const Edits::Item& edit, const RowBatch& step) const;
  std::vector<BoundEdit> bound_to_step(const Item& item, const RowBatch& step) const;
  void add(HookBus& bus, BoundEdit edit);

  Workplace& work_;
  std::string kind_;
  std::vector<Index> last_;
  EditTally& tally_;
  std::vector<Item> items_;
  std::vector<BoundEdit> prompt_edits_;
  std::set<Index> bound_;  // numbers of edits in the present forward
};

}  // namespace diopter::engine
