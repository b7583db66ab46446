#include "study/number_list.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/hints.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

constexpr std::int64_t kMaxValues = 100'000;

// The one key of the table, and its inner table; nullptr: a problem was added.
const Member* form_of(const Node& table, const std::vector<std::string>& forms, Problems& problems) {
  if (table.members.size() != 1) {
    problems.error(table.span, "a generated list has one key: " + base::join(forms, "or"));
    return nullptr;
  }
  const Member& m = table.members.front();
  if (std::find(forms.begin(), forms.end(), m.key) == forms.end()) {
    problems.error(m.key_span,
                   fmt::format("'{}' does not make a list here{}", m.key, base::did_you_mean(m.key, forms)));
    return nullptr;
  }
  if (!m.value.is(Node::Type::Table)) {
    const std::string_view inner = m.key == "range" ? "{ from = 0, to = 10 }" : "{ from = 1, to = 8, count = 4 }";
    problems.error(m.value.span, fmt::format("'{}' is {}, not a table; for example {} = {}", m.key, type_name(m.value),
                                             m.key, inner));
    return nullptr;
  }
  return &m;
}

std::optional<std::vector<double>> spaced(const Member& form, Problems& problems) {
  const bool geometric = form.key == "logspace";
  const std::size_t before = problems.added();
  TableReader reader(form.value, form.key, problems);
  reader.require("from", "from = 1");
  reader.require("to", "to = 8");
  reader.require("count", "count = 4");
  const auto from = reader.number("from"), to = reader.number("to");
  const auto count = reader.integer("count", 1, kMaxValues);
  reader.finish();
  if (problems.added() != before) return std::nullopt;
  if (geometric && (*from <= 0 || *to <= 0)) {
    problems.error(form.value.span, "'from' and 'to' of logspace must be above 0");
    return std::nullopt;
  }
  std::vector<double> out;
  for (std::int64_t i = 0; i < *count; ++i) {
    const double t = *count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(*count - 1);
    out.push_back(geometric ? std::exp(std::log(*from) + (std::log(*to) - std::log(*from)) * t)
                            : *from + (*to - *from) * t);
  }
  out.front() = *from;  // the ends are exactly as written
  if (*count > 1) out.back() = *to;
  return out;
}

bool check_range(const Node& table, double from, double to, double step, Problems& problems) {
  if (step == 0 || (to - from) * step < 0) {
    problems.error(table.span, "'step' of range does not lead from 'from' to 'to'");
    return false;
  }
  if ((to - from) / step >= static_cast<double>(kMaxValues)) {
    problems.error(table.span, fmt::format("range has more than {} values", kMaxValues));
    return false;
  }
  return true;
}

}  // namespace

std::optional<std::vector<double>> expand_floats(const Node& table, Problems& problems) {
  const Member* form = form_of(table, {"linspace", "logspace", "range"}, problems);
  if (form == nullptr) return std::nullopt;
  if (form->key != "range") return spaced(*form, problems);
  const std::size_t before = problems.added();
  TableReader reader(form->value, "range", problems);
  reader.require("from", "from = 0");
  reader.require("to", "to = 10");
  const auto from = reader.number("from"), to = reader.number("to");
  const double step = reader.number("step").value_or(1.0);
  reader.finish();
  if (problems.added() != before || !check_range(form->value, *from, *to, step, problems)) return std::nullopt;
  const auto last = static_cast<std::int64_t>(std::floor((*to - *from) / step + 1e-9));  // 0 to 1 by 0.1 includes 1
  std::vector<double> out;
  for (std::int64_t i = 0; i <= last; ++i) out.push_back(*from + static_cast<double>(i) * step);
  return out;
}

std::optional<std::vector<std::int64_t>> expand_integers(const Node& table, Problems& problems) {
  const Member* form = form_of(table, {"range"}, problems);
  if (form == nullptr) return std::nullopt;
  const std::size_t before = problems.added();
  constexpr std::int64_t kLimit = std::int64_t{1} << 52;  // exact as double, and no sum of two overflows
  TableReader reader(form->value, "range", problems);
  reader.require("from", "from = 0");
  reader.require("to", "to = 10");
  const auto from = reader.integer("from", -kLimit, kLimit), to = reader.integer("to", -kLimit, kLimit);
  const std::int64_t step = reader.integer("step", -kLimit, kLimit).value_or(1);
  reader.finish();
  if (problems.added() != before) return std::nullopt;
  if (!check_range(form->value, static_cast<double>(*from), static_cast<double>(*to), static_cast<double>(step),
                   problems)) {
    return std::nullopt;
  }
  std::vector<std::int64_t> out;
  for (std::int64_t v = *from; step > 0 ? v <= *to : v >= *to; v += step) out.push_back(v);
  return out;
}

}  // namespace diopter::study
