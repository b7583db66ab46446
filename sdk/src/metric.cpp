#include <algorithm>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = {"logit_diff", "logit", "log_prob",    "joint_log_prob",  "prob",
                                                 "prob_diff",  "rank",  "kl_to_clean", "kl_to_unpatched", "entropy",
                                                 "loss"};
  return names;
}

}  // namespace

Metric Metric::named(Text name, Positions at) {
  const auto& names = metric_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw Error("unknown metric " + base::quoted(name) + base::did_you_mean(name, names));
  }
  auto spec = std::make_shared<MetricSpec>();
  spec->name = name;
  spec->at = std::move(at);
  return Metric(std::shared_ptr<const MetricSpec>(std::move(spec)));
}

Metric Metric::custom(Text name, std::function<Tensor(const Tensor&, const Prompts&)> function, Positions at) {
  if (name.empty()) throw Error("a custom metric needs a name; it labels the results");
  if (!function) throw Error("custom metric " + base::quoted(name) + " has no function");
  auto spec = std::make_shared<MetricSpec>();
  spec->name = name;
  spec->at = std::move(at);
  spec->custom = std::move(function);
  return Metric(std::shared_ptr<const MetricSpec>(std::move(spec)));
}

Text Metric::name() const { return spec_->name; }

}  // namespace abi1
}  // namespace diopter
