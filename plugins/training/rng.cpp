#include "rng.hpp"

#include <bit>
#include <numeric>
#include <utility>

namespace training {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed, std::uint64_t stream) {
  std::uint64_t x = mix(seed + 0x9e3779b97f4a7c15U) + stream;
  for (std::uint64_t& word : state_) word = mix(x += 0x9e3779b97f4a7c15U);
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::int64_t Rng::below(std::int64_t n) {
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t rejected = (0 - range) % range;  // 2^64 mod n
  for (;;) {
    const Wide product = static_cast<Wide>(next()) * range;
    if (static_cast<std::uint64_t>(product) >= rejected) return static_cast<std::int64_t>(product >> 64);
  }
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

std::size_t Rng::weighted(std::span<const std::int64_t> weights) {
  std::int64_t left = below(std::accumulate(weights.begin(), weights.end(), std::int64_t{0}));
  std::size_t chosen = 0;
  while (left >= weights[chosen]) left -= weights[chosen++];
  return chosen;
}

std::vector<std::int64_t> Rng::distinct(std::int64_t n, std::int64_t k) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  for (std::int64_t i = 0; i < k; ++i) {
    std::swap(numbers[static_cast<std::size_t>(i)], numbers[static_cast<std::size_t>(between(i, n - 1))]);
  }
  numbers.resize(static_cast<std::size_t>(k));
  return numbers;
}

}  // namespace training
