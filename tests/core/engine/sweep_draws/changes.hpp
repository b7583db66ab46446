// What a sweep does at its place.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "core/engine/sweep_draws/places.hpp"

namespace diopter::engine::testing::draws {

struct DrawnChange {
  Change change;
  std::vector<Axis> axes = {};  // of the lists in it
  std::string kind, text;
};

// What norms divide by stays positive, far from 0.
inline at::Tensor values_for(const DrawnPlace& place, const std::vector<Index>& shape) {
  const at::Tensor value = normal(shape);
  return place.scale() ? value.abs() + 0.5 : value;
}

inline std::vector<double> draw_factors(const DrawnPlace& place, Index count) {
  return some(place.scale() ? std::vector<double>{2, 0.5, 1} : std::vector<double>{2, -1, 0.5, 0, 1, -0.3, 3}, count);
}

// The last dimensions of the selected part, each whole or 1.
inline std::vector<Index> draw_rest(const DrawnPlace& place) {
  std::vector<Index> rest(place.sizes.end() - between(1, static_cast<Index>(place.sizes.size())), place.sizes.end());
  for (Index& size : rest) {
    if (rarely(4)) size = 1;
  }
  return rest;
}

class ChangeDraw {
 public:
  // `captured`: of the donor, the whole values at the place; made when it is drawn.
  ChangeDraw(const ModelInfo& info, const DrawnPrompts& prompts, const DrawnPlace& place,
             std::function<Capture()> captured)
      : info_(info), prompts_(prompts), place_(place), captured_(std::move(captured)) {}

  DrawnChange operator()() {
    // Patterns that see what follows come from tensors.
    if (place_.has("src") && rarely(4)) return tensor();
    switch (pick<Index>({0, 0, 0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8})) {
      case 0: return {Change::replace(prompts_.donor), {}, "donor", "by the donor"};
      case 1:
        if (prompts_.aligned) return {Change::replace(captured_()), {}, "capture", "by a capture of the donor"};
        return {Change::replace(prompts_.donor), {}, "donor", "by the donor"};
      case 2:
        if (place_.scale()) return {Change::scale(0.5), {}, "scale", "times 0.5"};
        return {Change::zero(), {}, "zero", "zero"};
      case 3: return mean();
      case 4: return tensor();
      case 5: return add();
      case 6: return scale();
      case 7: return {Change::freeze(), {}, "freeze", "frozen"};
      default: return custom();
    }
  }

 private:
  DrawnChange mean() {
    std::vector<std::vector<Index>> rows = {draw_row(kLongest)};  // as long as any prompt
    for (Index more = between(0, 2); more > 0; --more) rows.push_back(draw_row(between(1, kLongest)));
    const bool over_positions = !place_.has("src") && coin();
    return {Change::mean(Prompts::tokens(padded(rows)), over_positions ? Mean::OverPositions : Mean::PerPosition),
            {},
            over_positions ? "mean over positions" : "mean",
            fmt::format("{} of {} prompts", over_positions ? "mean over positions" : "mean", rows.size())};
  }

  struct Laid {
    at::Tensor value;
    Per per = Per::Site;
    std::vector<Axis> axes = {};
    std::string text;
  };

  Index layers() const {
    for (const Axis& axis : place_.axes) {
      if (axis.name == "layer" && !axis.indices.empty() && coin()) return static_cast<Index>(axis.indices.size());
    }
    return info_.n_layers;
  }

  Laid laid_out() {
    std::vector<Index> shape = draw_rest(place_);
    const bool in_block = place_.hooks.globs().front().starts_with("blocks.");
    Laid laid;
    switch (below(in_block ? 4 : 3)) {
      case 0: break;
      case 1:
        laid.per = Per::Row;
        shape.insert(shape.begin(), prompts_.rows());
        laid.text = " per row";
        break;
      case 2:
        laid.per = Per::Vector;
        shape.insert(shape.begin(), between(1, 2));
        laid.axes.push_back({"vector"});
        laid.text = " per vector";
        break;
      default:
        laid.per = Per::Layer;
        shape.insert(shape.begin(), layers());
        laid.text = " per layer";
    }
    laid.value = values_for(place_, shape);
    laid.text = fmt::format("a tensor {}{}", shape, laid.text);
    return laid;
  }

  DrawnChange tensor() {
    Laid laid = laid_out();
    return {Change::replace(laid.value, laid.per), laid.axes, "tensor", "by " + laid.text};
  }

  Reals factors(std::vector<Axis>& axes, std::string& text) {
    const std::vector<double> values = draw_factors(place_, between(1, 3));
    text = fmt::format("{}", values);
    if (values.size() == 1 && coin()) return values.front();
    axes.push_back({"coefficient"});
    return values;
  }

  DrawnChange add() {
    Laid laid = laid_out();
    std::string text;
    const Reals coefficients = factors(laid.axes, text);
    return {Change::add(laid.value, coefficients, laid.per), laid.axes, "add",
            fmt::format("plus {} times {}", text, laid.text)};
  }

  DrawnChange scale() {
    std::vector<Axis> axes;
    std::string text;
    const Reals factors_drawn = factors(axes, text);
    return {Change::scale(factors_drawn), axes, "scale", "times " + text};
  }

  DrawnChange custom() {
    return {Change::custom([](const at::Tensor& value, const HookPoint&) { return value * 0.5 + 0.125; }),
            {},
            "custom",
            "half of it and an eighth"};
  }

  const ModelInfo& info_;
  const DrawnPrompts& prompts_;
  const DrawnPlace& place_;
  std::function<Capture()> captured_;
};

}  // namespace diopter::engine::testing::draws
