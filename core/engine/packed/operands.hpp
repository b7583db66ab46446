// The operands of one change, each made once for all cells of a sweep that share it. Used by several threads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/packed/packed_edit.hpp"

namespace diopter::engine {

class Operands {
 public:
  // `compiler`: its sources are made.
  Operands(const EditCompiler& compiler, const Place& place, at::ScalarType dtype)
      : compiler_(compiler), place_(place), dtype_(dtype) {}

  // Null where the change needs none. `vector`: which of a list of vectors, for the memory of what was made.
  std::shared_ptr<const Operand> of(const ChangeSpec& change, HookId id, const Where& where, const LayerRank& layer,
                                    Index vector = 0);
  PackedEdit edit(const ChangeSpec& change, HookId id, const Where& where, const LayerRank& layer, Index vector = 0);

 private:
  std::shared_ptr<const Operand> made(const ChangeSpec& change, HookId id, const Where& where,
                                      const LayerRank& layer) const;
  bool shared_by_cells(const ChangeSpec& change, HookId id, const Where& where) const;

  const EditCompiler& compiler_;
  const Place& place_;
  at::ScalarType dtype_;
  std::mutex mutex_;
  std::map<std::pair<HookId, Index>, std::shared_ptr<const Operand>> shared_;
};

}  // namespace diopter::engine
