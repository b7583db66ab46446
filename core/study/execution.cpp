#include "study/execution.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

// Takes a number without sign from the front; the rest stays in `text`.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (status != std::errc() || text.front() == '-' || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 9> kUnits = {{{"B", 1},
                                                                                 {"kB", 1e3},
                                                                                 {"KB", 1e3},
                                                                                 {"MB", 1e6},
                                                                                 {"GB", 1e9},
                                                                                 {"TB", 1e12},
                                                                                 {"KiB", 1024.0},
                                                                                 {"MiB", 1048576.0},
                                                                                 {"GiB", 1073741824.0}}};
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  skip_spaces(text);
  for (const auto& [unit, factor] : kUnits) {
    const double bytes = *number * factor;
    if (text == unit && bytes >= 1 && bytes < 9e18) return static_cast<std::int64_t>(std::llround(bytes));
  }
  return std::nullopt;
}

std::optional<double> parse_duration(std::string_view text) {
  double seconds = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number || text.empty()) return std::nullopt;
    switch (text.front()) {
      case 's': seconds += *number; break;
      case 'm': seconds += *number * 60; break;
      case 'h': seconds += *number * 3600; break;
      case 'd': seconds += *number * 86400; break;
      default: return std::nullopt;
    }
    text.remove_prefix(1);
    skip_spaces(text);
  }
  return seconds > 0 && seconds < 1e9 ? std::optional(seconds) : std::nullopt;
}

Execution read_execution(const Node& table, Problems& problems) {
  Execution out;
  TableReader reader(table, "[execution]", problems);
  out.jobs = reader.integer("jobs", 1, 4096).value_or(out.jobs);
  out.threads = reader.integer("threads", 1, 4096);
  out.verify = reader.integer("verify", 0).value_or(out.verify);
  out.strict = reader.boolean("strict").value_or(out.strict);
  out.retries = reader.integer("retries", 0, 1000).value_or(out.retries);
  if (reader.choice("on_error", {"continue", "stop"}).value_or("continue") == "stop") out.on_error = OnError::Stop;
  if (const auto text = reader.string("memory_budget")) {
    out.memory_budget = parse_size(*text);
    if (!out.memory_budget) {
      problems.error(
          table.find("memory_budget")->value.span,
          fmt::format("'memory_budget' is '{}', which is not a size; for example \"8GB\" or \"512MiB\"", *text));
    }
  }
  if (const auto text = reader.string("timeout")) {
    out.timeout = parse_duration(*text);
    if (!out.timeout) {
      problems.error(table.find("timeout")->value.span,
                     fmt::format("'timeout' is '{}', which is not a duration; for example \"90s\" or \"2h\"", *text));
    }
  }
  reader.finish();
  return out;
}

base::Json to_json(const Execution& e) {
  base::Json out = {{"jobs", e.jobs},
                    {"verify", e.verify},
                    {"strict", e.strict},
                    {"on_error", e.on_error == OnError::Stop ? "stop" : "continue"},
                    {"retries", e.retries}};
  if (e.threads) out["threads"] = *e.threads;
  if (e.memory_budget) out["memory_budget"] = fmt::format("{}B", *e.memory_budget);
  if (e.timeout) out["timeout"] = base::shortest(*e.timeout) + "s";
  return out;
}

}  // namespace diopter::study
