#include "report/figure.hpp"

#include <cmath>

#include "base/canonical_json.hpp"
#include "report/display.hpp"

namespace diopter::report {
namespace {

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  return three_digits(value);
}

}  // namespace

bool Axis::tokens() const {
  return !labels.empty() && (!ids.empty() || name == "pos" || name == "src" || name == "dest");
}

std::string Axis::exact(std::size_t index) const {
  if (!labels.empty()) return labels[index];
  if (!coord.empty())
    return coord[index] == std::floor(coord[index]) ? number_text(coord[index]) : base::shortest(coord[index]);
  return std::to_string(index);
}

std::string Axis::shown(std::size_t index) const {
  if (tokens()) return isolated(shown_token(labels[index], kCellColumns)) + "_" + std::to_string(index);
  if (!labels.empty()) return isolated(shown_token(labels[index], 24));
  if (!coord.empty()) return number_text(coord[index]);
  return std::to_string(index);
}

std::size_t Grid::cells() const {
  std::size_t product = 1;
  for (const Axis& axis : dims) product *= axis.size;
  return product;
}

int Grid::index_of(const std::string& dim) const {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].name == dim) return static_cast<int>(i);
  }
  return -1;
}

const Column* Table::find(const std::string& name) const {
  for (const Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

}  // namespace diopter::report
