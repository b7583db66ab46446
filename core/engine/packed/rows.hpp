// Rows of many lanes, one after the other, without padding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstring>
#include <vector>

#include <diopter/base.hpp>

namespace diopter::engine {

struct RowAt {
  std::int32_t lane, pos;
};

// Lane by lane; value [n, ...].
struct Rows {
  std::vector<RowAt> at;
  at::Tensor value;

  Index size() const { return static_cast<Index>(at.size()); }
  const void* row(Index i) const {
    return static_cast<const char*>(value.const_data_ptr()) +
           i * value.stride(0) * static_cast<Index>(value.itemsize());
  }
  void* row(Index i) {
    return static_cast<char*>(value.mutable_data_ptr()) + i * value.stride(0) * static_cast<Index>(value.itemsize());
  }
};

// Which row a lane has for a position.
class RowIndex {
 public:
  RowIndex(std::size_t lanes, Index positions)
      : positions_(positions), of_(lanes * static_cast<std::size_t>(positions), -1) {}
  void add(const std::vector<RowAt>& rows, Index first = 0) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      (*this)(rows[i].lane, rows[i].pos) = static_cast<std::int32_t>(first + static_cast<Index>(i));
  }
  std::int32_t& operator()(Index lane, Index pos) { return of_[static_cast<std::size_t>(lane * positions_ + pos)]; }
  std::int32_t operator()(Index lane, Index pos) const {
    return of_[static_cast<std::size_t>(lane * positions_ + pos)];
  }
  bool has(Index lane, Index pos) const { return (*this)(lane, pos) >= 0; }

 private:
  Index positions_;
  std::vector<std::int32_t> of_;
};

// [from.size(), like's dimensions from `lead` on]: rows copied from where they lie.
at::Tensor gathered(const std::vector<const void*>& from, at::IntArrayRef inner, const at::TensorOptions& options);

// `more` after `rows`, whose value may be undefined where it has none.
void append(Rows& rows, const Rows& more);

}  // namespace diopter::engine
