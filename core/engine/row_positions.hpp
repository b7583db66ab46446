// Positions (negative, per row, by token, unions) -> absolute positions of each row of a batch.
#pragma once

#include <string>
#include <vector>

#include <diopter/positions.hpp>

#include "engine/row_batch.hpp"

namespace diopter {
inline namespace abi1 {
class TokenCodec;
}
}  // namespace diopter

namespace diopter::engine {

// Places of one dimension of a batch's values: index i of a dimension. For whole prompts they are positions; in a step
// the queries have one place, 0, and the keys as many as there are positions so far.
enum class Dimension { Queries, Keys };

struct RowPositions {
  std::vector<std::vector<Index>> of;  // [row][slot]: a place, kUnset where the row has none; slots as written
  Index slots = 0;                     // of every row

  bool empty(Index row) const;   // no position at all
  Index last(Index row) const;   // the largest, kUnset when empty
  Index first(Index row) const;  // the smallest
};

// Never a padding position: what lies outside a row's tokens is kUnset. A token that a row's prompt lacks is an Error
// naming the row. `codec` may be null where no term names a token. Indices from the end and tokens are those of the
// prompt, in a step too.
RowPositions resolve(const Positions& positions, const RowBatch& batch, const TokenCodec* codec,
                     Dimension dimension = Dimension::Queries);

// Whether `where` leaves this row out on purpose: positions given per row, kUnset in all of it.
bool left_out(const Where& where, const RowBatch& batch, Index row);

// "5..9", "3", "0, 2 and 7": what the user wrote, for messages.
std::string text_of(const Positions& positions);

// bool [batch, size]: the places of each row
at::Tensor mask_of(const RowPositions& positions, Index size);

}  // namespace diopter::engine
