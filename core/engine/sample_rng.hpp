// The random numbers of one generated text.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include <diopter/base.hpp>

namespace diopter::engine {

// A stream of its own for each (prompt, seed): what else is generated beside it changes nothing. Seeded by SHA-256 of
// the seed and the prompt's token ids; MT19937-64, the same on every machine.
class SampleRng {
 public:
  SampleRng(Index seed, std::span<const Index> prompt);
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // [0, 1)

 private:
  std::mt19937_64 engine_;
};

}  // namespace diopter::engine
