// Random streams of a run: independent of each other, of the order of use and of the number of threads.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace diopter::host {

// The first 8 bytes (big-endian) of SHA-256("SEED\nSTREAM").
std::uint64_t stream_seed(std::int64_t run_seed, std::string_view stream);

class Streams {
 public:
  explicit Streams(std::int64_t run_seed) : run_seed_(run_seed) {}
  at::Generator get(std::string_view stream);  // the same stream: the same generator

 private:
  std::int64_t run_seed_;
  std::map<std::string, at::Generator, std::less<>> generators_;
};

}  // namespace diopter::host
