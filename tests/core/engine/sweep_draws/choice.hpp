// Choices of a drawn case, by RapidCheck. What is drawn does not depend on the size RapidCheck asks for; shrinking goes
// to the first of every list and to the usual of every `rarely`.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include <diopter/base.hpp>

namespace diopter::engine::testing::draws {

inline Index below(Index limit) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Index>(0, limit)); }
inline Index between(Index low, Index high) { return low + below(high - low + 1); }  // both included
inline bool rarely(Index one_in) { return below(one_in) == one_in - 1; }
inline bool coin() { return rarely(2); }

template <class T>
const T& pick(const std::vector<T>& all) {
  return all[static_cast<std::size_t>(below(static_cast<Index>(all.size())))];
}

// `count` different elements in any order.
template <class T>
std::vector<T> some(std::vector<T> all, Index count) {
  std::vector<T> out;
  while (!all.empty() && static_cast<Index>(out.size()) < count) {
    const auto at = all.begin() + below(static_cast<Index>(all.size()));
    out.push_back(*at);
    all.erase(at);
  }
  return out;
}

inline std::vector<Index> some_below(Index limit, Index count) {
  std::vector<Index> all(static_cast<std::size_t>(limit));
  for (Index i = 0; i < limit; ++i) all[static_cast<std::size_t>(i)] = i;
  return some(std::move(all), count);
}

inline at::Tensor normal(const std::vector<Index>& shape) {
  return at::randn(shape, at::detail::createCPUGenerator(static_cast<std::uint64_t>(below(1000))), at::kFloat);
}

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

inline std::string listed(const std::vector<Index>& values) {
  std::string out;
  for (const Index value : values) {
    out += out.empty() ? "[" : ", ";
    out += value == kUnset ? "unset" : fmt::format("{}", value);
  }
  return out.empty() ? "[]" : out + "]";
}

}  // namespace diopter::engine::testing::draws
