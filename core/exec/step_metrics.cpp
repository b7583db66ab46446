#include "exec/step_metrics.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "exec/record_text.hpp"
#include "store/spool_format.hpp"

namespace diopter::exec {

StepMetrics::Name& StepMetrics::name(std::string_view text) {
  if (const auto at = names_.find(text); at != names_.end()) return at->second;
  require_name("metric", text);
  Name fresh;
  store::append_string(fresh.key, text);
  fresh.key += ':';
  return names_.emplace(std::string(text), std::move(fresh)).first->second;
}

std::string StepMetrics::add(std::string_view text, double value, std::int64_t step, std::optional<double> error) {
  Name& metric = name(text);
  auto& steps = metric.steps;
  const auto at =
      steps.empty() || steps.back() < step ? steps.end() : std::lower_bound(steps.begin(), steps.end(), step);
  if (at != steps.end() && *at == step) {
    throw base::UserError(base::Exit::Failed,
                          "metric '" + std::string(text) + "' was logged twice at step " + std::to_string(step),
                          "give each value its own step", "run.metric_twice");
  }
  steps.insert(at, step);
  std::string closed;
  if (!open_.empty() && step != step_) closed = take();
  if (open_.empty()) {
    step_ = step;
    open_ = "\"step\":" + std::to_string(step) + ",\"m\":{";
  } else {
    open_ += ',';
  }
  open_ += metric.key;
  if (error) open_ += '[';
  store::append_number(open_, value);
  if (error) {
    open_ += ',';
    store::append_number(open_, *error);
    open_ += ']';
  }
  return closed;
}

std::string StepMetrics::take() {
  if (open_.empty()) return {};
  std::string out = std::move(open_);
  open_.clear();
  out += '}';
  return out;
}

}  // namespace diopter::exec
