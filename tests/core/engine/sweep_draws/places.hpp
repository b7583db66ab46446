// Where a sweep changes something: hook points, what its axes walk, and what else narrows the place.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diopter/sweep.hpp>

#include "core/engine/sweep_draws/prompts.hpp"

namespace diopter::engine::testing::draws {

inline constexpr Index kMostCells = 18;

struct DrawnPlace {
  HookSet hooks;
  Point point = Point::Embed;  // of the first of the hooks; all have its dimensions
  std::vector<Text> dims;      // without the batch
  std::vector<Index> sizes;    // of the selected part, parallel to dims; 1 where a row's own positions decide
  std::vector<Axis> axes;
  Where where;
  Index cells = 1;
  std::string text;

  bool has(Text dim) const { return contains(dims, dim); }
  bool scale() const { return has("scale"); }  // what a norm divides by
};

// "blocks.{layer}.hook_z" of "blocks.0.hook_z"; names of model-level points stay.
inline std::string pattern_of(Text name) {
  const Text first = "blocks.0.";
  return name.starts_with(first) ? fmt::format("blocks.{{layer}}.{}", name.substr(first.size())) : std::string(name);
}

inline Positions draw_positions(Index rows, Index longest, std::string& text) {
  switch (below(7)) {
    case 0: {
      const Index at = below(longest);
      text += fmt::format(" at {}", at);
      return {at};
    }
    case 1: {
      const Index at = -between(1, longest);
      text += fmt::format(" at {}", at);
      return {at};
    }
    case 2: {
      const std::vector<Index> at = some_below(longest, between(2, 3));
      text += fmt::format(" at {}", at);
      return Positions(at);
    }
    case 3: {
      const Index first = between(-2, longest - 1);
      text += fmt::format(" from {}", first);
      return Positions::from(first);
    }
    case 4: {
      std::vector<Index> values;
      const Index each = between(1, 2);
      for (Index i = 0; i < rows * each; ++i) values.push_back(rarely(4) ? kUnset : between(-2, longest - 1));
      text += fmt::format(" at {} of each row", listed(values));
      const at::Tensor of_rows = ints(values).view({rows, each});
      return Positions::per_row(each == 1 && coin() ? of_rows.squeeze(1) : of_rows);
    }
    case 5: text += " at the last and 0"; return Positions::last() | Positions{0};
    default: text += " at the whole prompt"; return Positions::prompt();
  }
}

class PlaceDraw {
 public:
  PlaceDraw(const ModelInfo& info, const HookTable& hooks, const DrawnPrompts& prompts, Point point, Rows rows)
      : info_(info), hooks_(hooks), rows_(prompts.rows()), longest_(prompts.longest()) {
    const HookId first = hooks.id(point);
    place_.point = point;
    place_.dims.assign(hooks[first].dims.begin() + 1, hooks[first].dims.end());
    place_.sizes = hooks.shape(first, 1, rows == Rows::Together ? longest_ : 1);
    place_.sizes.erase(place_.sizes.begin());
    choose_hooks(first);
    for (const Text dim : some(place_.dims, static_cast<Index>(place_.dims.size()))) choose(dim);
    place_.text = fmt::format("hooks {}{}", place_.hooks.globs(), text_);
    for (const Axis& axis : place_.axes) place_.text += fmt::format(", {} {}", axis.name, axis.indices);
  }

  DrawnPlace take() { return std::move(place_); }

 private:
  Index& size_of(Text dim) {
    return place_
        .sizes[static_cast<std::size_t>(std::find(place_.dims.begin(), place_.dims.end(), dim) - place_.dims.begin())];
  }

  // One point, sometimes with a second of the same shape: beside it or as the other entry of an axis.
  void choose_hooks(HookId first) {
    std::vector<std::string> patterns = {pattern_of(hooks_[first].name)};
    const bool in_block = hooks_[first].layer >= 0;
    if (in_block && rarely(5)) {
      std::vector<std::string> others;
      for (HookId id = 0; id < hooks_.size(); ++id) {
        const HookPoint& other = hooks_[id];
        const std::vector<Text> dims(other.dims.begin() + 1, other.dims.end());
        if (other.layer == 0 && id != first && dims == place_.dims && !excluded(hooks_.point(id)))
          others.push_back(pattern_of(other.name));
      }
      if (!others.empty()) patterns.push_back(pick(others));
    }
    if (patterns.size() > 1 && coin()) walk("site", 2);
    if (in_block && !rarely(4)) {
      walk("layer", info_.n_layers);
    } else if (in_block && coin()) {  // one layer
      const std::string layer = std::to_string(below(info_.n_layers));
      for (std::string& pattern : patterns) pattern.replace(pattern.find("{layer}"), 7, layer);
    }  // else all layers at once
    place_.hooks = HookSet(patterns);
  }

  // The shared norm of the heads has no effect where each has its own: not both in one sweep.
  bool excluded(Point other) const {
    const auto split = [](Point p) { return p >= Point::AttnIn && p <= Point::VInput; };
    const auto shared = [](Point p) { return p == Point::Ln1Scale || p == Point::Ln1Normalized; };
    return (split(place_.point) && shared(other)) || (shared(place_.point) && split(other));
  }

  void walk(Text name, Index size) {
    const Index room = kMostCells / place_.cells;
    if (size <= room && coin()) {
      place_.axes.push_back({name});
      place_.cells *= size;
      return;
    }
    std::vector<Index> indices = some_below(size, between(1, std::clamp<Index>(room, 1, 6)));
    if (rarely(4) && name != "site" && name != "layer") indices.back() -= size;
    place_.cells *= static_cast<Index>(indices.size());
    place_.axes.push_back({name, indices});
  }

  // With as many heads of keys and values as of queries both words mean the same.
  Text word_for(Text dim) const {
    if (info_.n_heads != info_.n_kv_heads || !rarely(4)) return dim;
    return dim == "head" ? "kv_head" : "head";
  }

  void choose(Text dim) {
    const bool position = dim == "pos" || dim == "dest" || dim == "src";
    const bool head = dim == "head" || dim == "kv_head";
    if (!position && !head && dim != "neuron") return;
    const Index size = position ? longest_ : size_of(dim);
    if (coin() && place_.cells < kMostCells) {
      walk(head ? word_for(dim) : dim == "pos" && rarely(6) ? Text("dest") : dim, size);
      size_of(dim) = 1;
    } else if (rarely(3)) {
      narrow(dim, head ? word_for(dim) : dim, size);
    } else if (position) {
      text_ += fmt::format(", every {}", dim);
    }
  }

  void narrow(Text dim, Text word, Index size) {
    text_ += fmt::format(", {}", word);
    if (dim == "pos" || dim == "dest" || dim == "src") {
      (dim == "src" ? place_.where.sources : place_.where.positions) = draw_positions(rows_, longest_, text_);
      size_of(dim) = 1;
      return;
    }
    std::vector<Index> indices = some_below(size, between(1, 2));
    if (rarely(4)) indices.back() -= size;
    text_ += fmt::format(" {}", indices);
    size_of(dim) = static_cast<Index>(indices.size());
    (word == "head"      ? place_.where.heads
     : word == "kv_head" ? place_.where.kv_heads
                         : place_.where.neurons) = std::move(indices);
  }

  const ModelInfo& info_;
  const HookTable& hooks_;
  Index rows_, longest_;
  DrawnPlace place_;
  std::string text_;
};

}  // namespace diopter::engine::testing::draws
