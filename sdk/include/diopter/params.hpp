// A run's parameters: validated against the kind's table and complete, so get() cannot miss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <diopter/hook_name.hpp>
#include <diopter/metric.hpp>
#include <diopter/positions.hpp>

namespace diopter {
inline namespace abi1 {

struct ParamsData;

class DIOPTER_API Params {
 public:
  // T: bool, Index, double, std::string, Path, HookSet, Positions, Metric, Tensor, and std::vector of Index, double,
  // std::string, Metric. An undeclared name or another type than the declared one is an Error with the nearest name.
  template <class T>
  T get(Text name) const;
  bool has(Text name) const;  // false only for optional parameters that nobody gave (none in the present tables)

  explicit Params(std::shared_ptr<const ParamsData> data) : data_(std::move(data)) {}
  const ParamsData& data() const { return *data_; }

 private:
  std::shared_ptr<const ParamsData> data_;
};

template <>
DIOPTER_API bool Params::get<bool>(Text) const;
template <>
DIOPTER_API Index Params::get<Index>(Text) const;
template <>
DIOPTER_API double Params::get<double>(Text) const;
template <>
DIOPTER_API std::string Params::get<std::string>(Text) const;
template <>
DIOPTER_API Path Params::get<Path>(Text) const;
template <>
DIOPTER_API HookSet Params::get<HookSet>(Text) const;
template <>
DIOPTER_API Positions Params::get<Positions>(Text) const;
template <>
DIOPTER_API Tensor Params::get<Tensor>(Text) const;
template <>
DIOPTER_API std::vector<Index> Params::get<std::vector<Index>>(Text) const;
template <>
DIOPTER_API std::vector<double> Params::get<std::vector<double>>(Text) const;
template <>
DIOPTER_API std::vector<std::string> Params::get<std::vector<std::string>>(Text) const;
template <>
DIOPTER_API std::vector<Metric> Params::get<std::vector<Metric>>(Text) const;

}  // namespace abi1
}  // namespace diopter
