#include <ATen/ATen.h>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

std::vector<std::string> names_of(const CaptureData& data) {
  std::vector<std::string> names;
  for (const auto& [point, value] : data.items) names.emplace_back(point.name);
  return names;
}

bool matches_any(Text name, const std::vector<std::string>& patterns) {
  for (const auto& pattern : patterns) {
    if (base::matches_glob(name, pattern)) return true;
  }
  return false;
}

std::vector<std::string> expanded(Text glob) {
  try {
    return base::expand_braces(glob);
  } catch (const base::UserError& error) {
    throw Error(error.what());
  }
}

}  // namespace

Tensor Capture::resid() const { return data_->resid; }

Tensor Capture::logits() const {
  if (!data_->logits) throw Error("this capture has no logits: it does not come from a whole forward");
  return data_->logits();
}

const Tensor& Capture::operator[](Text point) const {
  for (const auto& [captured, value] : data_->items) {
    if (captured.name == point) return value;
  }
  throw Error(base::quoted(point) + " was not captured" + base::did_you_mean(point, names_of(*data_)));
}

Tensor Capture::stack(Text glob) const {
  const std::vector<std::string> patterns = expanded(glob);
  std::vector<Tensor> values;
  for (const auto& [point, value] : data_->items) {
    if (matches_any(point.name, patterns)) values.push_back(value);
  }
  if (values.empty()) {
    throw Error(base::quoted(glob) + " matches nothing that was captured" + base::did_you_mean(glob, names_of(*data_)));
  }
  for (const Tensor& value : values) {
    if (!value.sizes().equals(values.front().sizes())) {
      throw Error(base::quoted(glob) + " matches values of different shapes, which cannot be stacked");
    }
  }
  return at::stack(values);
}

const Capture::Item* Capture::begin() const { return data_->items.data(); }
const Capture::Item* Capture::end() const { return data_->items.data() + data_->items.size(); }

}  // namespace abi1
}  // namespace diopter
