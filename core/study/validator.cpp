#include "study/validator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hints.hpp"
#include "diopter/reserved_keys.hpp"
#include "study/kind_table.hpp"
#include "study/metrics_block.hpp"
#include "study/param_check.hpp"
#include "study/table_reader.hpp"
#include "study/toml_reader.hpp"

namespace diopter::study {
namespace {

std::optional<Node> value_node(std::string_view toml, Problems& problems) {
  auto table = read_toml("v = " + std::string(toml), "default", problems);
  if (!table) return std::nullopt;
  if (table->members.size() != 1 || table->members[0].key != "v") {
    problems.error({}, "more than one value");
    return std::nullopt;
  }
  return std::move(table->members[0].value);
}

struct ValueCheck {
  std::optional<CheckedParam> value;
  std::vector<std::string> problems;
};

ValueCheck check_text(const diopter_param& row, std::string_view toml) {
  Problems problems;
  ValueCheck out;
  const ParamSurroundings nowhere{{}, std::nullopt, {}, false};
  if (const auto node = value_node(toml, problems)) {
    out.value = ParamCheck(row, *node, nowhere, problems, ParamCheck::Voice::Bare).check();
  }
  const std::string head(toml);
  for (const Problem* p : problems.sorted()) {
    // Most sentences begin with the value already; those of other readers (TOML, positions) are put behind it.
    const bool speaks_of_value =
        p->message.find(", which ") != std::string::npos || p->message.find(", whose ") != std::string::npos;
    out.problems.push_back(speaks_of_value ? p->message : fmt::format("{}, but: {}", head, p->message));
  }
  return out;
}

void unknown_key(const diopter_kind& kind, const Member& m, const std::vector<diopter_param>& rows,
                 Problems& problems) {
  std::vector<std::string> own, all;
  for (const auto& row : rows) own.emplace_back(row.name);
  all = own;
  all.insert(all.end(), kReservedRunKeys.begin(), kReservedRunKeys.end());
  all.insert(all.end(), kMetricRunKeys.begin(), kMetricRunKeys.end());
  const std::string home = home_of(m.key);
  if (is_metric_run_key(m.key)) {
    problems.error(m.key_span,
                   fmt::format("kind '{}' takes no metrics, so '{}' means nothing to it", kind.name, m.key));
  } else if (!home.empty() && home != "[[run]]") {
    problems.error(m.key_span, fmt::format("'{}' belongs in {}", m.key, home));
  } else {
    const bool close = !base::nearest(m.key, all).empty();
    const std::string elsewhere = close ? "" : hint_elsewhere(m.key);
    const std::string hint =
        base::did_you_mean(m.key, close ? all : own, fmt::format("diopter plugin show {}", kind.name));
    problems.error(m.key_span, fmt::format("unknown parameter '{}' for kind '{}'{}", m.key, kind.name,
                                           elsewhere.empty() ? hint : elsewhere));
  }
}

std::optional<CheckedParam> default_value(const diopter_param& row, const ParamSurroundings& around, const Node& table,
                                          Problems& problems) {
  Problems own;  // a bad default is the plugin's mistake, which loading has told; here it only must not go unnoticed
  const auto node = value_node(row.fallback, own);
  std::optional<CheckedParam> out;
  if (node) out = ParamCheck(row, *node, around, own, ParamCheck::Voice::Bare).check();
  for (const Problem* p : own.sorted()) {
    problems.error(table.span,
                   fmt::format("the default of '{}' does not do here: {}; give the parameter", row.name, p->message));
  }
  if (out) {
    out->key_span = out->span = table.span;
    out->element_spans.clear();
  }
  return out;
}

}  // namespace

std::optional<CheckedParam> check_value(const diopter_param& row, const Node& value, const ParamSurroundings& around,
                                        Problems& problems) {
  return ParamCheck(row, value, around, problems).check();
}

std::vector<CheckedParam> check_params(const diopter_kind& kind, const Node& table, const ParamSurroundings& around,
                                       Problems& problems) {
  const auto rows = params_of(kind);
  const auto row_of = [&](std::string_view name) {
    return std::find_if(rows.begin(), rows.end(), [&](const diopter_param& row) { return name == row.name; });
  };
  const bool metrics_kind =
      std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.type == DIOPTER_METRIC_LIST; });
  for (const auto& m : table.members) {
    const bool known =
        row_of(m.key) != rows.end() || is_reserved_run_key(m.key) || (metrics_kind && is_metric_run_key(m.key));
    if (!known) unknown_key(kind, m, rows, problems);
  }

  std::vector<CheckedParam> out;
  for (const auto& row : rows) {
    const Member* m = table.find(row.name);
    std::optional<CheckedParam> one;
    if (m != nullptr) {
      one = check_value(row, m->value, around, problems);
      if (one) {
        one->given = true;
        one->key_span = m->key_span;
      }
    } else if (row.fallback != nullptr) {
      one = default_value(row, around, table, problems);
    } else {
      problems
          .error(table.span, fmt::format("kind '{}' needs the parameter '{}'; for example {} = {}", kind.name, row.name,
                                         row.name, row.example))
          .help = row.doc;
    }
    if (one) out.push_back(std::move(*one));
  }
  if (metrics_kind) {
    Metrics keys;
    std::vector<std::string> own;
    for (const auto& row : rows) own.emplace_back(row.name);
    auto brought = read_metric_keys(table, own, keys, problems);
    for (auto& param : out) {
      if (auto* metrics = std::get_if<Metrics>(&param.value)) {
        keys.names = metrics->names;
        *metrics = keys;
      }
    }
    out.insert(out.end(), std::make_move_iterator(brought.begin()), std::make_move_iterator(brought.end()));
  }
  return out;
}

std::vector<std::string> validate_toml_text(const diopter_param& row, std::string_view toml) {
  return check_text(row, toml).problems;
}

std::optional<CheckedParam> value_of_toml_text(const diopter_param& row, std::string_view toml) {
  return check_text(row, toml).value;
}

}  // namespace diopter::study
