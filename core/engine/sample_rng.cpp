#include "engine/sample_rng.hpp"

#include <fmt/format.h>

#include <string>

#include "base/hash.hpp"

namespace diopter::engine {
namespace {

std::uint64_t seed_of(Index seed, std::span<const Index> prompt) {
  std::string key = fmt::format("diopter.sample/1 {}", seed);
  for (const Index token : prompt) key += fmt::format(" {}", token);
  return std::stoull(base::sha256(key).substr(0, 16), nullptr, 16);
}

}  // namespace

SampleRng::SampleRng(Index seed, std::span<const Index> prompt) : engine_(seed_of(seed, prompt)) {}

}  // namespace diopter::engine
