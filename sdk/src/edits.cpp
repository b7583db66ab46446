#include <ATen/ATen.h>

#include <numeric>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

constexpr const char* kNames[2][9] = {
    {"coefficient", "coefficient_2", "coefficient_3", "coefficient_4", "coefficient_5", "coefficient_6",
     "coefficient_7", "coefficient_8", "coefficient_9"},
    {"vector", "vector_2", "vector_3", "vector_4", "vector_5", "vector_6", "vector_7", "vector_8", "vector_9"}};

// Which list of which edit an axis walks. Lists of further edits are called "coefficient_2", "vector_2", ...
struct Walk {
  std::size_t item;
  bool vectors;  // else coefficients
  Text name;     // one of kNames
  Index size;
};

std::vector<Walk> walks_of(const std::vector<Edits::Item>& items) {
  std::vector<Walk> walks;
  std::size_t seen[2] = {0, 0};
  const auto add = [&](std::size_t item, bool vectors, Index size) {
    if (seen[vectors] == std::size(kNames[vectors]))
      throw Error("more than 9 lists in one set of edits; split it into several");
    walks.push_back({item, vectors, kNames[vectors][seen[vectors]++], size});
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ChangeSpec& change = items[i].change.spec();
    if (change.per == Per::Vector && change.value.defined()) add(i, true, change.value.size(0));
    if (change.factors.swept()) add(i, false, static_cast<Index>(change.factors.values().size()));
  }
  return walks;
}

// One vector or one coefficient of the list, as a plain change.
Change picked(const ChangeSpec& from, bool vectors, Index which) {
  ChangeSpec spec = from;
  if (vectors) {
    spec.value = from.value.select(0, which);
    spec.per = Per::Site;
  } else {
    spec.factors = Reals(from.factors.values()[static_cast<std::size_t>(which)]);
  }
  return Change(std::make_shared<const ChangeSpec>(std::move(spec)));
}

}  // namespace

Edits& Edits::at(HookSet points, Change change, Where where) {
  if (points.empty()) throw Error("an edit needs a hook name or glob");
  items_.push_back({std::move(points), std::move(change), std::move(where)});
  return *this;
}

std::vector<Axis> Edits::axes() const {
  std::vector<Axis> axes;
  for (const Walk& walk : walks_of(items_)) {
    Axis axis{.name = walk.name};
    if (walk.vectors) {
      axis.indices.resize(static_cast<std::size_t>(walk.size));
      std::iota(axis.indices.begin(), axis.indices.end(), Index{0});
    } else {
      axis.reals = items_[walk.item].change.spec().factors.values();
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

std::vector<Edits> Edits::cells() const {
  std::vector<Edits> cells = {*this};
  for (const Walk& walk : walks_of(items_)) {
    std::vector<Edits> finer;
    finer.reserve(cells.size() * static_cast<std::size_t>(walk.size));
    for (const Edits& cell : cells) {
      for (Index i = 0; i < walk.size; ++i) {
        Edits& next = finer.emplace_back(cell);
        Change& change = next.items_[walk.item].change;
        change = picked(change.spec(), walk.vectors, i);
      }
    }
    cells = std::move(finer);
  }
  return cells;
}

}  // namespace abi1
}  // namespace diopter
