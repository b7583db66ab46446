#include "engine/sweep_plan.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include <diopter/error.hpp>

#include "base/hints.hpp"

namespace diopter::engine {
namespace {

constexpr std::array<Text, 10> kAxes = {"layer", "pos", "head", "kv_head",     "neuron",
                                        "dest",  "src", "site", "coefficient", "vector"};

// The axis's name as text that lives as long as the program.
Text static_name(Text name) {
  const auto found = std::find(kAxes.begin(), kAxes.end(), name);
  if (found != kAxes.end()) return *found;
  throw Error(fmt::format("{} is not an axis of a sweep{}", base::quoted(name),
                          base::did_you_mean(name, {kAxes.begin(), kAxes.end()})));
}

std::vector<Index> counted(Index size) {
  std::vector<Index> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

// Negative indices count from the end; of positions they count in each row and stay.
void check_range(Axis& axis, Index size, const ModelInfo& info) {
  const bool positions = axis.name == "pos" || axis.name == "dest" || axis.name == "src";
  for (Index& index : axis.indices) {
    const bool fits = index >= -size && index < size;
    if (!fits) {
      throw Error(fmt::format(
          "{} {} is out of range: {} 0..{}", axis.name, index,
          positions ? std::string("the prompts have positions") : fmt::format("{} has {}s", info.name, axis.name),
          size - 1));
    }
    if (index < 0 && !positions) index += size;
  }
}

bool has_layer(const HookSet& hooks) {
  return std::any_of(hooks.globs().begin(), hooks.globs().end(),
                     [](const std::string& glob) { return glob.find("{layer}") != std::string::npos; });
}

void refuse_both(bool narrowed, Text axis, Text where) {
  if (narrowed) throw Error(fmt::format("the sweep walks '{}', so `where` must not narrow its {}", axis, where));
}

void check_where(Text axis, const Where& where) {
  if (axis == "pos" || axis == "dest") refuse_both(!where.positions.is_all(), axis, "positions");
  if (axis == "src") refuse_both(!where.sources.is_all(), axis, "sources");
  if (axis == "head") refuse_both(!where.heads.empty(), axis, "heads");
  if (axis == "kv_head") refuse_both(!where.kv_heads.empty(), axis, "kv_heads");
  if (axis == "neuron") refuse_both(!where.neurons.empty(), axis, "neurons");
}

const Axis* find_axis(const std::vector<Axis>& axes, Text name) {
  const auto found = std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.name == name; });
  return found == axes.end() ? nullptr : &*found;
}

}  // namespace

void SweepPlan::add_axis(const Axis& given, const Sweep& sweep, const ModelInfo& info, Index longest) {
  Axis axis = given;
  axis.name = static_name(given.name);
  if (find_axis(axes_, axis.name) != nullptr) throw Error(fmt::format("axis '{}' is given twice", axis.name));
  if (axis.name == "dest" && find_axis(axes_, "pos") != nullptr)
    throw Error("axes 'pos' and 'dest' walk the same positions; give one");
  check_where(axis.name, sweep.where);
  const ChangeSpec& change = sweep.change.spec();
  if (axis.name == "coefficient") {
    if (!axis.indices.empty()) throw Error("axis 'coefficient' takes numbers (`reals`), not indices");
    if (axis.reals.empty()) axis.reals = change.factors.values();
    if (change.op != ChangeSpec::Op::Add && change.op != ChangeSpec::Op::Scale)
      throw Error("axis 'coefficient' needs a change that adds or scales");
    axes_.push_back(std::move(axis));
    return;
  }
  if (!axis.reals.empty()) throw Error(fmt::format("axis '{}' takes indices, not numbers (`reals`)", axis.name));
  Index size = longest;
  if (axis.name == "layer") size = info.n_layers;
  if (axis.name == "head") size = info.n_heads;
  if (axis.name == "kv_head") size = info.n_kv_heads;
  if (axis.name == "neuron") size = info.d_mlp;
  if (axis.name == "site") size = static_cast<Index>(sweep.hooks.globs().size());
  if (axis.name == "vector") {
    if (change.per != Per::Vector || !change.value.defined())
      throw Error("axis 'vector' needs a change with a tensor per vector (Per::Vector)");
    size = change.value.size(0);
  }
  if (axis.name == "layer" && !has_layer(sweep.hooks))
    throw Error("the sweep walks 'layer', but its hooks do not contain {layer}");
  if (axis.indices.empty()) axis.indices = counted(size);
  check_range(axis, size, info);
  axes_.push_back(std::move(axis));
}

SweepPlan::SweepPlan(const Sweep& sweep, const ModelInfo& info, const HookTable& hooks, Index longest)
    : sweep_(sweep), model_layers_(info.n_layers) {
  if (sweep.hooks.empty()) throw Error("a sweep needs a hook name such as 'blocks.{layer}.hook_resid_pre'");
  for (const Axis& axis : sweep.axes) add_axis(axis, sweep, info, longest);
  const ChangeSpec& change = sweep.change.spec();
  if (change.factors.swept() && find_axis(axes_, "coefficient") == nullptr && change.factors.values().size() > 1) {
    throw Error("the change has a list of coefficients; add the axis 'coefficient'");
  }
  if (change.per == Per::Vector && find_axis(axes_, "vector") == nullptr)
    throw Error("the change has a list of vectors; add the axis 'vector'");

  const Axis* sites = find_axis(axes_, "site");
  const Axis* layers = find_axis(axes_, "layer");
  std::set<HookId> all;
  for (const Index site : sites != nullptr ? sites->indices : std::vector<Index>{kUnset}) {
    const HookSet globs = site == kUnset ? sweep.hooks : HookSet(sweep.hooks.globs()[static_cast<std::size_t>(site)]);
    auto& by_layer = by_site_and_layer_.emplace_back();
    for (const Index layer : layers != nullptr ? layers->indices : std::vector<Index>{kUnset}) {
      by_layer.push_back(layer == kUnset ? hooks.resolve(globs) : hooks.resolve(globs, layer));
      all.insert(by_layer.back().begin(), by_layer.back().end());
    }
  }
  points_.assign(all.begin(), all.end());
  for (const Axis& axis : axes_) cells_ *= static_cast<Index>(std::max(axis.indices.size(), axis.reals.size()));
}

bool SweepPlan::several_points() const {
  return std::any_of(by_site_and_layer_.begin(), by_site_and_layer_.end(), [](const auto& by_layer) {
    return std::any_of(by_layer.begin(), by_layer.end(), [](const auto& ids) { return ids.size() > 1; });
  });
}

std::vector<Index> SweepPlan::shape() const {
  std::vector<Index> sizes;
  for (const Axis& axis : axes_) sizes.push_back(static_cast<Index>(std::max(axis.indices.size(), axis.reals.size())));
  return sizes;
}

LayerRank SweepPlan::layer_rank(Index flat) const {
  LayerRank rank{.model = model_layers_};
  for (std::size_t a = axes_.size(); a-- > 0;) {
    const auto size = static_cast<Index>(std::max(axes_[a].indices.size(), axes_[a].reals.size()));
    if (axes_[a].name == "layer") {
      rank.rank = flat % size;
      rank.count = size;
    }
    flat /= size;
  }
  return rank;
}

CellSite SweepPlan::cell(Index flat) const {
  CellSite cell{.ids = {}, .where = sweep_.where, .change = sweep_.change, .vector = 0};
  ChangeSpec change = sweep_.change.spec();
  std::size_t site = 0, layer = 0;
  for (std::size_t a = axes_.size(); a-- > 0;) {
    const Axis& axis = axes_[a];
    const auto size = static_cast<Index>(std::max(axis.indices.size(), axis.reals.size()));
    const auto at = static_cast<std::size_t>(flat % size);
    flat /= size;
    if (axis.name == "coefficient") {
      change.factors = Reals(axis.reals[at]);
      continue;
    }
    const Index index = axis.indices[at];
    if (axis.name == "site") site = at;
    if (axis.name == "layer") layer = at;
    if (axis.name == "pos" || axis.name == "dest") cell.where.positions = {index};
    if (axis.name == "src") cell.where.sources = {index};
    if (axis.name == "head") cell.where.heads = {index};
    if (axis.name == "kv_head") cell.where.kv_heads = {index};
    if (axis.name == "neuron") cell.where.neurons = {index};
    if (axis.name == "vector") {
      change.value = change.value.select(0, index);
      change.per = Per::Site;
      cell.vector = index;
    }
  }
  cell.ids = by_site_and_layer_[site][layer];
  cell.change = Change(std::make_shared<const ChangeSpec>(std::move(change)));
  return cell;
}

}  // namespace diopter::engine
