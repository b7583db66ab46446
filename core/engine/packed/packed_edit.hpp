// A declared change in the form that acts on single rows: one position of one prompt at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter_host/specs.hpp>

#include "engine/edit_compiler.hpp"

namespace diopter::engine {

// What a change puts or adds at one hook point, laid out so that the part of one position lies together.
// Immutable; shared by all cells and threads.
struct Operand {
  at::Tensor value;      // [batch or 1, pos or 1, inner...], of patterns [batch or 1, head, dest, src]; contiguous
  at::Tensor available;  // bool [batch, pos]; undefined: everywhere
  bool causal = true;    // of scores and patterns: nothing that would let a query see what its mask hides
};

class PackedEdit {
 public:
  // `where`: positions, sources and indices of this change, resolved in the batch of `place`. `operand` is null for
  // zero and scale. `dtype`: of hook values.
  PackedEdit(const ChangeSpec& change, HookId id, const Where& where, const Place& place,
             std::shared_ptr<const Operand> operand, at::ScalarType dtype);

  HookId id() const noexcept { return id_; }
  Point point() const noexcept { return point_; }
  Index layer() const noexcept { return layer_; }  // -1: before the blocks; n_layers: after them
  // [row] The positions at which it acts, ascending; what the donor lacks is left out. Empty rows are not touched.
  const std::vector<std::vector<Index>>& positions() const noexcept { return positions_; }
  const std::vector<Index>& heads() const noexcept { return heads_; }  // of this point's heads; empty: all
  const std::vector<Index>& neurons() const noexcept { return neurons_; }
  bool whole_vector() const noexcept { return parts_.empty(); }
  bool causal() const noexcept { return operand_ == nullptr || operand_->causal; }
  bool touches(Index row, Index pos) const;
  bool replaces_by_donor() const noexcept { return by_donor_; }
  bool has_source(Index row, Index first, Index last) const;  // of scores and patterns: in first .. last

  // Changes the value of one position in place, [inner...] in the model's dtype; true when a bit altered.
  bool apply(void* value, Index row, Index pos) const;
  // The same for one of its heads alone: `value` is that head's part.
  bool apply_head(void* value, Index row, Index pos, Index head) const;
  // The same for the scores or the pattern of one head and destination, float [src].
  bool apply_pair(float* keys, Index keys_count, Index row, Index head, Index dest) const;
  bool has_head(Index head) const;

 private:
  enum class Op { Put, Zero, Add, Scale };
  struct Part {
    Index offset, size;
  };
  template <class Apply>
  bool in_dtype(void* value, const Apply& apply) const;
  template <class T>
  bool apply_to(T* value, Index row, Index pos) const;
  template <class T>
  bool apply_part(T* value, const T* operand, Index size) const;
  template <class T>
  const T* operand_at(Index row, Index pos) const;  // null where there is none
  void pick(const Where& where, const HookPoint& point, const ModelInfo& info);

  HookId id_;
  Point point_;
  Index layer_, inner_ = 1, last_ = 1;  // inner_: numbers of one position; last_: of the last dimension
  Op op_;
  double factor_ = 1;
  bool by_donor_ = false;
  bool hides_stay_ = false;  // of scores: -inf is not changed
  std::shared_ptr<const Operand> operand_;
  at::ScalarType dtype_;
  std::vector<std::vector<Index>> positions_, sources_;
  std::vector<Index> heads_, neurons_;
  std::vector<Part> parts_;  // of one position's numbers; empty: all
};

}  // namespace diopter::engine
