#include "host/rng.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <string>

#include "base/hash.hpp"

namespace diopter::host {

std::uint64_t stream_seed(std::int64_t run_seed, std::string_view stream) {
  const std::string hex = base::sha256(std::to_string(run_seed) + '\n' + std::string(stream));
  return std::stoull(hex.substr(0, 16), nullptr, 16);
}

at::Generator Streams::get(std::string_view stream) {
  auto found = generators_.find(stream);
  if (found == generators_.end()) {
    found =
        generators_.emplace(std::string(stream), at::detail::createCPUGenerator(stream_seed(run_seed_, stream))).first;
  }
  return found->second;
}

}  // namespace diopter::host
