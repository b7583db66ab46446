#include <fmt/format.h>

#include "study/kind_table.hpp"
#include "study/number_list.hpp"
#include "study/param_check.hpp"

namespace diopter::study {

bool ParamCheck::all_value(CheckedParam& out) const {
  out.all = true;
  std::vector<std::int64_t> values;
  out.json = "all";
  if (around_.sizes && !depends_on_prompt(row_.index_of)) {
    if (const auto size = around_.sizes->axes.find(row_.index_of); size != around_.sizes->axes.end()) {
      for (std::int64_t i = 0; i < size->second; ++i) values.push_back(i);
      out.json = values;
    }
  }
  out.value = std::move(values);
  return true;
}

bool ParamCheck::integers(CheckedParam& out) const {
  std::vector<std::int64_t> values;
  if (root_.is(Node::Type::Table)) {
    auto made = expand_integers(root_, problems_);
    if (!made) return false;
    for (auto& v : *made) {
      if (!in_range(root_, static_cast<double>(v), std::to_string(v)) || !index(root_, v)) return false;
    }
    values = std::move(*made);
  } else {
    bool fine = true;
    for (const auto& item : root_.items) {
      const auto v = integer(item);
      if (v) values.push_back(*v);
      fine = fine && v.has_value();
    }
    if (!fine) return false;
  }
  out.json = values;
  out.value = std::move(values);
  return true;
}

bool ParamCheck::floats(CheckedParam& out) const {
  std::vector<double> values;
  if (root_.is(Node::Type::Table)) {
    auto made = expand_floats(root_, problems_);
    if (!made) return false;
    for (const double v : *made) {
      if (!in_range(root_, v, base::shortest(v))) return false;
    }
    values = std::move(*made);
  } else {
    bool fine = true;
    for (const auto& item : root_.items) {
      const auto v = number(item);
      if (v) values.push_back(*v);
      fine = fine && v.has_value();
    }
    if (!fine) return false;
  }
  out.json = values;
  out.value = std::move(values);
  return true;
}

bool ParamCheck::strings(CheckedParam& out) const {
  std::vector<std::string> values;
  bool fine = true;
  for (const auto& item : root_.items) {
    const bool good = row_.type == DIOPTER_CHOICE_LIST   ? choice(item)
                      : row_.type == DIOPTER_TOKEN_LIST  ? token(item)
                      : row_.type == DIOPTER_METRIC_LIST ? metric(item)
                                                         : is_string(item, "a string");
    if (good) values.push_back(item.text);
    fine = fine && good;
  }
  if (!fine) return false;
  if (row_.type == DIOPTER_METRIC_LIST && values.empty()) return complain(root_, "names no metric");
  out.json = values;
  if (row_.type == DIOPTER_METRIC_LIST) {
    Metrics metrics;
    metrics.names = std::move(values);
    out.value = std::move(metrics);
  } else {
    out.value = std::move(values);
  }
  return true;
}

bool ParamCheck::inputs(CheckedParam& out) const {
  std::vector<InputFile> values;
  out.json = base::Json::array();
  bool fine = true;
  for (const auto& item : root_.items) {
    auto one = input(item);
    fine = fine && one.has_value();
    if (!one) continue;
    out.json.push_back(one->written);
    values.push_back(std::move(*one));
  }
  out.value = std::move(values);
  return fine;
}

bool ParamCheck::list_value(CheckedParam& out) const {
  const bool numbers = row_.type == DIOPTER_INT_LIST || row_.type == DIOPTER_FLOAT_LIST;
  const bool index_list = row_.type == DIOPTER_INT_LIST && row_.index_of[0] != '\0';
  if (index_list && root_.is(Node::Type::String) && root_.text == "all") return all_value(out);
  if (!root_.is(Node::Type::Array) && !(numbers && root_.is(Node::Type::Table))) {
    const std::string expected = param_type_name(row_.type) + (index_list ? " or \"all\"" : "");
    complain(root_, fmt::format("is {}, not {}", type_name(root_), expected));
    return false;
  }
  for (const auto& item : root_.items) out.element_spans.push_back(item.span);
  switch (row_.type) {
    case DIOPTER_INT_LIST: return integers(out);
    case DIOPTER_FLOAT_LIST: return floats(out);
    case DIOPTER_INPUT_LIST: return inputs(out);
    default: return strings(out);
  }
}

}  // namespace diopter::study
