// diopter diff: what two runs do not share.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "report/display.hpp"
#include "report/grid_from_store.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;
using store::RunDetail;

struct DiffOptions {
  CommonFlags common;
  std::string a, b;
  double tolerance = 0;
  bool exit_code = false;
};

class Differences {
 public:
  Differences(const RunDetail& a, const RunDetail& b)
      : rows_{{{"what", "WHAT"}, {"name", "NAME"}, {"a", a.row.short_id}, {"b", b.row.short_id}}, {}} {}

  void compare(const char* what, const std::string& name, const Json& a, const Json& b) {
    if (a != b) rows_.cells.push_back({what, name, a, b});
  }
  void compare_maps(const char* what, const std::map<std::string, Json>& a, const std::map<std::string, Json>& b) {
    std::set<std::string> names;
    for (const auto& [name, value] : a) names.insert(name);
    for (const auto& [name, value] : b) names.insert(name);
    for (const std::string& name : names) {
      const auto x = a.find(name), y = b.find(name);
      compare(what, name, x == a.end() ? Json(nullptr) : x->second, y == b.end() ? Json(nullptr) : y->second);
    }
  }
  const Rows& rows() const { return rows_; }

 private:
  Rows rows_;
};

std::map<std::string, Json> params_of(const RunDetail& run) {
  std::map<std::string, Json> out;
  for (const store::ParamRow& param : run.params) out[param.key] = param.value;
  return out;
}

std::map<std::string, Json> inputs_of(const RunDetail& run) {
  std::map<std::string, Json> out;
  for (const store::InputRow& input : run.inputs) out[input.role] = input.sha256.substr(0, 16);
  return out;
}

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

void compare_metrics(Differences& out, const RunDetail& a, const RunDetail& b, double tolerance) {
  std::map<std::string, Json> x, y;
  for (const store::MetricRow& metric : a.metrics) x[metric.name] = metric.value;
  for (const store::MetricRow& metric : b.metrics) y[metric.name] = metric.value;
  for (auto& [name, value] : x) {
    const auto other = y.find(name);
    const bool near = other != y.end() && std::abs(value.get<double>() - other->second.get<double>()) <= tolerance;
    const bool both_nan =
        other != y.end() && std::isnan(value.get<double>()) && std::isnan(other->second.get<double>());
    if (near || both_nan) other->second = value;
  }
  for (auto& [name, value] : x) {
    if (std::isnan(value.get<double>())) value = "NaN";
  }
  for (auto& [name, value] : y) {
    if (value.is_number() && std::isnan(value.get<double>())) value = "NaN";
  }
  out.compare_maps("metric", x, y);
}

// "0.91 at layer 2, pos 10 ( John)"
std::string largest_difference(const report::Grid& a, const report::Grid& b, double tolerance) {
  if (a.dims.size() != b.dims.size()) return "different dimensions";
  for (std::size_t d = 0; d < a.dims.size(); ++d) {
    if (a.dims[d].name != b.dims[d].name || a.dims[d].size != b.dims[d].size) return "different dimensions";
  }
  double largest = -1;
  std::size_t where = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const bool both_nan = std::isnan(a.values[i]) && std::isnan(b.values[i]);
    const double apart = both_nan || a.values[i] == b.values[i] ? 0 : std::abs(a.values[i] - b.values[i]);
    if (std::isnan(apart)) return "NaN in one of them";
    if (apart > largest) largest = apart, where = i;
  }
  if (largest <= tolerance) return {};
  std::string place;
  for (std::size_t d = a.dims.size(), left = where; d-- > 0; left /= a.dims[d].size) {
    const std::size_t index = left % a.dims[d].size;
    const std::string label =
        a.dims[d].labels.empty() ? "" : " (" + report::shown_text(a.dims[d].labels[index], 24) + ")";
    place = fmt::format("{} {}{}{}", a.dims[d].name,
                        a.dims[d].labels.empty() ? a.dims[d].exact(index) : std::to_string(index), label,
                        place.empty() ? "" : ", " + place);
  }
  return fmt::format("largest difference {}{}", report::three_digits(largest), place.empty() ? "" : " at " + place);
}

void compare_tensors(Differences& out, const store::Reader& reader, const RunDetail& a, const RunDetail& b,
                     double tolerance) {
  std::map<std::string, const store::TensorRow*> x, y;
  for (const store::TensorRow& tensor : a.tensors) x[tensor.name] = &tensor;
  for (const store::TensorRow& tensor : b.tensors) y[tensor.name] = &tensor;
  for (const auto& [name, tensor] : x) {
    const auto other = y.find(name);
    if (other == y.end()) {
      out.compare("tensor", name, "present", nullptr);
    } else if (tensor->sha256 != other->second->sha256) {
      const std::string text = largest_difference(report::grid_of(reader.tensor(a.row.id, name)),
                                                  report::grid_of(reader.tensor(b.row.id, name)), tolerance);
      if (!text.empty()) out.compare("tensor", name, text, nullptr);
    }
  }
  for (const auto& [name, tensor] : y) {
    if (!x.contains(name)) out.compare("tensor", name, nullptr, "present");
  }
}

int diff(const DiffOptions& options) {
  const store::Reader reader(options.common.store_path());
  const RunDetail a = reader.run(reader.resolve_run(options.a)), b = reader.run(reader.resolve_run(options.b));
  Differences found(a, b);
  found.compare("run", "kind", a.row.kind, b.row.kind);
  found.compare("run", "kind_version", a.row.kind_version, b.row.kind_version);
  found.compare("run", "model", text_or_null(a.row.model), text_or_null(b.row.model));
  found.compare("run", "status", a.row.status, b.row.status);
  found.compare("run", "commit", text_or_null(a.row.commit), text_or_null(b.row.commit));
  found.compare("run", "plugin_version", text_or_null(a.row.plugin_version), text_or_null(b.row.plugin_version));
  found.compare_maps("parameter", params_of(a), params_of(b));
  found.compare_maps("input", inputs_of(a), inputs_of(b));
  compare_metrics(found, a, b, options.tolerance);
  compare_tensors(found, reader, a, b, options.tolerance);
  const auto count = std::ssize(found.rows().cells);
  write_rows(options.common, "diopter.diff/1", found.rows(), count, {{"a", a.row.id}, {"b", b.row.id}});
  talk(options.common,
       count ? "everything else is equal" : "no difference in model, parameters, inputs, metrics or tensors");
  return options.exit_code && count ? 1 : 0;
}

}  // namespace

void add_diff(CLI::App& app, Action& action) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* verb = app.add_subcommand("diff", "Compare two runs: parameters, inputs, metrics, tensors");
  options->common.add_to(*verb);
  verb->add_option("a", options->a, "A run")->type_name("RUN")->required();
  verb->add_option("b", options->b, "Another")->type_name("RUN")->required();
  verb->add_option("--tolerance", options->tolerance, "Numbers this near are equal")
      ->check(CLI::NonNegativeNumber)
      ->type_name("X");
  verb->add_flag("--exit-code", options->exit_code, "Exit with 1 when they differ");
  verb->callback([options, &action] { action = [options] { return diff(*options); }; });
}

}  // namespace diopter::cli
