#include "study/metrics_block.hpp"

#include <algorithm>

#include "diopter/abi.h"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

CheckedParam brought(std::string name, std::uint32_t type, const Node& table) {
  CheckedParam out;
  out.name = std::move(name);
  out.type = type;
  out.brought = true;
  out.key_span = out.span = table.span;
  if (const Member* m = table.find(out.name)) {
    out.given = true;
    out.key_span = m->key_span;
    out.span = m->value.span;
  }
  return out;
}

}  // namespace

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> kNames = {"logit_diff", "logit", "log_prob",    "joint_log_prob",  "prob",
                                                  "prob_diff",  "rank",  "kl_to_clean", "kl_to_unpatched", "entropy",
                                                  "loss"};
  return kNames;
}

std::vector<std::string_view> columns_of_metric(std::string_view metric) {
  if (metric == "logit_diff" || metric == "prob_diff") return {"answer", "foil"};
  if (metric == "logit" || metric == "log_prob" || metric == "joint_log_prob" || metric == "prob" || metric == "rank") {
    return {"answer"};
  }
  return {};
}

std::vector<CheckedParam> read_metric_keys(const Node& table, const std::vector<std::string>& own, Metrics& metrics,
                                           Problems& problems) {
  const auto is_own = [&](std::string_view key) { return std::find(own.begin(), own.end(), key) != own.end(); };
  TableReader reader(table, "[[run]]", problems);
  std::vector<CheckedParam> out;
  if (!is_own("at")) {
    if (const Member* m = table.find("at")) {
      if (auto at = read_positions(m->value, problems)) metrics.at = std::move(*at);
    }
    out.push_back(brought("at", DIOPTER_POSITIONS, table));
    out.back().value = metrics.at;
    out.back().json = to_json(metrics.at);
  }
  if (!is_own("normalise")) {
    const auto choice = reader.choice("normalise", {"none", "clean_corrupted"}).value_or("none");
    metrics.normalise = choice == "clean_corrupted";
    out.push_back(brought("normalise", DIOPTER_CHOICE, table));
    out.back().value = choice;
    out.back().json = choice;
  }
  if (!is_own("min_gap")) {
    metrics.min_gap = reader.number("min_gap", 0).value_or(metrics.min_gap);
    out.push_back(brought("min_gap", DIOPTER_FLOAT, table));
    out.back().value = metrics.min_gap;
    out.back().json = metrics.min_gap;
  }
  return out;
}

}  // namespace diopter::study
