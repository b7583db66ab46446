#include <diopter/error.hpp>
#include <diopter/params.hpp>
#include <diopter_host/specs.hpp>

#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

// In the order of ParamsData::Value.
constexpr const char* kTypeNames[] = {"bool",
                                      "Index",
                                      "double",
                                      "std::string",
                                      "Path",
                                      "HookSet",
                                      "Positions",
                                      "Tensor",
                                      "std::vector<Index>",
                                      "std::vector<double>",
                                      "std::vector<std::string>",
                                      "std::vector<Metric>"};
static_assert(std::size(kTypeNames) == std::variant_size_v<ParamsData::Value>);

const ParamsData::Value& value_of(const ParamsData& data, Text name) {
  const auto found = data.values.find(name);
  if (found != data.values.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : data.values) known.push_back(key);
  throw Error("kind " + base::quoted(data.kind) + " asked for parameter " + base::quoted(name) +
              ", which its table does not declare" + base::did_you_mean(name, known));
}

template <class T>
const T& get_as(const ParamsData& data, Text name) {
  const ParamsData::Value& value = value_of(data, name);
  if (const T* typed = std::get_if<T>(&value)) return *typed;
  throw Error("parameter " + base::quoted(name) + " of kind " + base::quoted(data.kind) + " is a " +
              kTypeNames[value.index()] + "; it was asked for as " + kTypeNames[ParamsData::Value(T{}).index()]);
}

}  // namespace

bool Params::has(Text name) const { return data_->values.find(name) != data_->values.end(); }

template <>
bool Params::get<bool>(Text name) const {
  return get_as<bool>(*data_, name);
}
template <>
Index Params::get<Index>(Text name) const {
  return get_as<Index>(*data_, name);
}
template <>
double Params::get<double>(Text name) const {
  return get_as<double>(*data_, name);
}
template <>
std::string Params::get<std::string>(Text name) const {
  return get_as<std::string>(*data_, name);
}
template <>
Path Params::get<Path>(Text name) const {
  return get_as<Path>(*data_, name);
}
template <>
HookSet Params::get<HookSet>(Text name) const {
  return get_as<HookSet>(*data_, name);
}
template <>
Positions Params::get<Positions>(Text name) const {
  return get_as<Positions>(*data_, name);
}
template <>
std::vector<Index> Params::get<std::vector<Index>>(Text name) const {
  return get_as<std::vector<Index>>(*data_, name);
}
template <>
std::vector<double> Params::get<std::vector<double>>(Text name) const {
  return get_as<std::vector<double>>(*data_, name);
}
template <>
std::vector<std::string> Params::get<std::vector<std::string>>(Text name) const {
  return get_as<std::vector<std::string>>(*data_, name);
}
template <>
std::vector<Metric> Params::get<std::vector<Metric>>(Text name) const {
  return get_as<std::vector<Metric>>(*data_, name);
}
template <>
Tensor Params::get<Tensor>(Text name) const {
  const Tensor& value = get_as<Tensor>(*data_, name);
  if (!value.defined()) {
    throw Error("parameter " + base::quoted(name) + " of kind " + base::quoted(data_->kind) +
                " is a tensor, which can be read in run() only, not while the analysis is created");
  }
  return value;
}

}  // namespace abi1
}  // namespace diopter
