#include "exec/expectations.hpp"

#include <algorithm>

#include "report/grid_from_store.hpp"

namespace diopter::exec {
namespace {

// The index along an axis that a selector names: a label, or a coordinate where there are coordinates, else a place.
std::optional<std::size_t> place_of(const report::Axis& axis, const std::variant<std::int64_t, std::string>& wanted) {
  if (const auto* label = std::get_if<std::string>(&wanted)) {
    const auto found = std::find(axis.labels.begin(), axis.labels.end(), *label);
    if (found == axis.labels.end()) return std::nullopt;
    return static_cast<std::size_t>(found - axis.labels.begin());
  }
  const std::int64_t index = std::get<std::int64_t>(wanted), size = static_cast<std::int64_t>(axis.size);
  if (index >= 0 && !axis.coord.empty()) {
    const auto found = std::find(axis.coord.begin(), axis.coord.end(), static_cast<double>(index));
    if (found == axis.coord.end()) return std::nullopt;
    return static_cast<std::size_t>(found - axis.coord.begin());
  }
  const std::int64_t place = index < 0 ? index + size : index;
  return place >= 0 && place < size ? std::optional(static_cast<std::size_t>(place)) : std::nullopt;
}

std::optional<double> cell_of(const report::Grid& grid, const std::vector<study::OutputRef::Selector>& selectors) {
  std::size_t flat = 0, used = 0;
  for (const report::Axis& axis : grid.dims) {
    std::optional<std::size_t> place;
    for (const auto& [name, wanted] : selectors) {
      if (axis.name != name) continue;
      place = place_of(axis, wanted);
      if (!place) return std::nullopt;
      ++used;
    }
    if (!place && axis.size != 1) return std::nullopt;
    flat = flat * axis.size + place.value_or(0);
  }
  return used == selectors.size() ? std::optional(grid.values[flat]) : std::nullopt;
}

}  // namespace

std::optional<double> one_value(const store::Reader& reader, const std::string& run_id, const study::OutputRef& ref) {
  const auto grid = report::find_grid(reader, reader.run(run_id), ref.output);
  return grid ? cell_of(*grid, ref.cell) : std::nullopt;
}

std::vector<study::Outcome> check_expectations(const study::Study& study, const store::Reader& reader,
                                               const std::function<std::string(const std::string& entry)>& run_of) {
  std::vector<study::Outcome> out;
  for (const auto& expectation : study.expectations) {
    const std::string run = run_of(expectation.of.run);
    const base::Json config = run.empty() ? base::Json::object() : reader.run(run).config;
    out.push_back(study::evaluate(expectation, config, [&](const study::OutputRef& ref) {
      return run.empty() ? std::nullopt : one_value(reader, run, ref);
    }));
  }
  return out;
}

}  // namespace diopter::exec
