// Rows of logits of any device and precision read by tensor operators: what readout.cpp takes where its own pass over
// rows does not apply.
#pragma once

#include <diopter/model.hpp>

namespace diopter::engine {

// logits, from (undefined: no kl) [row, d_vocab]; targets int64 [row, n] or undefined, -1 pads -> the fields that
// `what` asks for, [row, ...]. `what.targets` and `what.kl_from` themselves are not looked at. Sums in double. Equal
// logits in top_k come in no certain order.
Readout read_logits(const Tensor& logits, const Tensor& from, const Tensor& targets, const Read& what);

}  // namespace diopter::engine
