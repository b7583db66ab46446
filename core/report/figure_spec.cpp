#include "report/figure_spec.hpp"

#include <array>
#include <map>
#include <vector>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::report {
namespace {

const std::vector<std::string> kKinds = {"heatmap",   "surface",    "frames",      "line",      "scatter", "bar",
                                         "histogram", "token_grid", "token_strip", "attention", "table",   "text"};

[[noreturn]] void refuse(const std::string& what) {
  throw base::UserError(base::Exit::Usage, "figure: " + what, {}, "report.figure");
}

void require_one_of(const std::string& key, const std::string& value, const std::vector<std::string>& known) {
  for (const std::string& name : known) {
    if (name == value) return;
  }
  refuse("'" + key + "' is " + base::quoted(value) + base::did_you_mean(value, known));
}

}  // namespace

FigureSpec parse_figure_spec(const base::Json& document) {
  if (!document.is_object()) refuse("expected a table of keys, got " + std::string(document.type_name()));
  FigureSpec spec;
  const std::map<std::string, std::string*> texts = {
      {"as", &spec.as},         {"of", &spec.of},         {"x", &spec.x},         {"y", &spec.y},
      {"facet", &spec.facet},   {"slider", &spec.slider}, {"over", &spec.over},   {"each", &spec.each},
      {"colour", &spec.colour}, {"text", &spec.text},     {"title", &spec.title}, {"origin", &spec.origin}};
  std::vector<std::string> known = {"centre"};
  for (const auto& [key, target] : texts) known.push_back(key);
  for (const auto& [key, value] : document.items()) {
    if (key == "centre") {
      if (value.is_null()) continue;
      if (!value.is_number()) refuse("'centre' must be a number, got " + value.dump());
      spec.centre = value.get<double>();
      continue;
    }
    const auto target = texts.find(key);
    if (target == texts.end()) refuse("unknown key " + base::quoted(key) + base::did_you_mean(key, known));
    if (value.is_null()) continue;
    if (!value.is_string()) refuse(base::quoted(key) + " must be a text, got " + value.dump());
    *target->second = value.get<std::string>();
  }
  if (spec.as.empty()) spec.as = "heatmap";
  if (spec.origin.empty()) spec.origin = "lower";
  if (spec.of.empty()) refuse("'of' is missing: name the output to draw");
  require_one_of("as", spec.as, kKinds);
  require_one_of("origin", spec.origin, {"lower", "upper"});
  if (spec.as == "frames" && spec.each.empty()) spec.each = "bar";
  if (!spec.each.empty()) require_one_of("each", spec.each, {"bar", "heatmap"});
  return spec;
}

}  // namespace diopter::report
