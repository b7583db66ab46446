// Random numbers with a definition of our own, so that a seed gives the same corpus with every compiler and library
// (std::uniform_int_distribution is implementation-defined).
//
// Generator: xoshiro256** (Blackman and Vigna 2018). Its four words are four outputs of splitmix64 started at
// mix(seed) + stream, where mix is splitmix64's finaliser: streams of one seed are independent of each other.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace training {

class Rng {
 public:
  Rng(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t next();
  // 0 .. n - 1, unbiased: the high word of next() * n, low words below 2^64 mod n rejected (Lemire 2019). n > 0.
  std::int64_t below(std::int64_t n);
  std::int64_t between(std::int64_t first, std::int64_t last) { return first + below(last - first + 1); }  // inclusive
  double uniform();  // [0, 1): the top 53 bits of next() / 2^53
  bool chance(double probability) { return uniform() < probability; }
  std::size_t weighted(std::span<const std::int64_t> weights);  // an index, by weight; one weight at least is positive
  // k different numbers of 0 .. n - 1 in random order (the first k steps of a Fisher-Yates shuffle).
  std::vector<std::int64_t> distinct(std::int64_t n, std::int64_t k);

  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(static_cast<std::int64_t>(from.size())))];
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace training
