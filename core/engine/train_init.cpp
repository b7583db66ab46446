#include "engine/train_init.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace diopter::engine {
namespace {

using model::Part;

// table[p, 2i] = a sin(p w_i), table[p, 2i + 1] = a cos(p w_i), w_i = 100^(-2i / D): wavelengths of 6 to 600 positions.
at::Tensor sinusoidal(Index positions, Index d_model, double amplitude) {
  const at::Tensor p = at::arange(positions, at::kDouble).unsqueeze(1);
  const at::Tensor i = at::arange(0, d_model, 2, at::kDouble);
  const at::Tensor angle = p * at::pow(100.0, -i / static_cast<double>(d_model));  // [pos, ceil(D / 2)]
  const at::Tensor pairs = at::stack({angle.sin(), angle.cos()}, -1).flatten(1);
  return (amplitude * pairs.narrow(1, 0, d_model)).to(at::kFloat).contiguous();
}

bool writes_to_stream(Part part) { return part == Part::OutWeight || part == Part::MlpOutWeight; }

double linear_deviation(const ModelInfo& shape, const Init& init, Part part, Index fan_in) {
  double deviation = init.linear;
  if (init.by_fan_in) deviation /= std::sqrt(static_cast<double>(fan_in));
  if (init.shrink_writers && writes_to_stream(part)) deviation /= std::sqrt(2.0 * static_cast<double>(shape.n_layers));
  return deviation;
}

}  // namespace

model::Parameters initial_parameters(const ModelInfo& shape, const Init& init, at::Generator generator) {
  return model::Parameters(shape).transformed([&](model::Slot slot, const at::Tensor&) {
    const std::vector<Index> sizes = model::slot_shape(shape, slot.part);
    if (model::is_gain(slot.part)) return at::ones(sizes, at::kFloat);
    if (sizes.size() == 1) return at::zeros(sizes, at::kFloat);
    if (slot.part == Part::PosEmbed && init.sinusoidal) return sinusoidal(sizes[0], sizes[1], init.embed);
    const double deviation =
        model::is_per_layer(slot.part) ? linear_deviation(shape, init, slot.part, sizes[0]) : init.embed;
    return at::empty(sizes, at::kFloat).normal_(0, deviation, generator);
  });
}

}  // namespace diopter::engine
