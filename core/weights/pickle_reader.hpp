// A reader of the pickles that torch.save writes. It builds plain values and runs nothing.
//
// Why not LibTorch's unpickler: it copies every record into memory and belongs to ATen, which this room does not have.
// Source of the opcodes: Python's pickletools; of the names: torch/_utils.py and torch/serialization.py.
#pragma once

#include <string>
#include <string_view>

#include "weights/pickle_values.hpp"

namespace diopter::weights {

inline constexpr std::size_t kMaximalPickle = 256u << 20;       // bytes
inline constexpr std::size_t kMaximalPickleValues = 1'000'000;  // with references to them; a tensor takes about 20

// The pickle at the beginning of `bytes`; `name` goes into messages. Texts lie in `bytes`. UserError(Refused, id
// "weights.torch") with one sentence for the first defect: a name that is not allowed ("would run code"), an opcode
// that state dicts do not need, a malformed or truncated pickle, more values than kMaximalPickleValues.
Pickled read_pickle(std::string_view bytes, const std::string& name);

[[noreturn]] void refuse_torch(const std::string& file, const std::string& defect, const std::string& help = {});

}  // namespace diopter::weights
