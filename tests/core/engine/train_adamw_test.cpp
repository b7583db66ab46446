#include "engine/train_adamw.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace diopter::engine {
namespace {

Trained scalar(double value, double gradient, bool decays) {
  at::Tensor weight = at::full({1}, value, at::kFloat).set_requires_grad(true);
  weight.mutable_grad() = at::full({1}, gradient, at::kFloat);
  return {weight, {at::zeros({1}), at::zeros({1})}, decays};
}

double value_of(const Trained& one) { return one.weight.item<double>(); }

// Loshchilov and Hutter's update, in double precision.
struct Reference {
  double weight, mean = 0, square = 0;
  void step(double gradient, const AdamW& with, int t, bool decays) {
    if (decays) weight -= with.lr * with.weight_decay * weight;
    mean = with.beta1 * mean + (1 - with.beta1) * gradient;
    square = with.beta2 * square + (1 - with.beta2) * gradient * gradient;
    weight -= with.lr * (mean / (1 - std::pow(with.beta1, t))) /
              (std::sqrt(square / (1 - std::pow(with.beta2, t))) + with.eps);
  }
};

TEST(AdamW, FollowsItsDefinition) {
  const AdamW with{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-8, .weight_decay = 0.1};
  for (const bool decays : {false, true}) {
    Trained ours = scalar(0.7, 0, decays);
    Reference reference{0.7};
    double largest = 0;
    for (int t = 1; t <= 50; ++t) {
      const double gradient = std::sin(t) * 3;
      ours.weight.mutable_grad() = at::full({1}, gradient, at::kFloat);
      adamw_step({ours}, with, t);
      reference.step(gradient, with, t, decays);
      largest = std::max(largest, std::abs(value_of(ours) - reference.weight));
    }
    std::printf("compared 50 steps; largest difference %.2g\n", largest);
    EXPECT_LT(largest, 1e-6);
  }
}

TEST(AdamW, FirstStepIsTheLearningRate) {
  const Trained up = scalar(1, -5, false), down = scalar(1, 1e-3, false);
  adamw_step({up, down}, {.lr = 0.125}, 1);
  EXPECT_NEAR(value_of(up), 1.125, 1e-6);
  EXPECT_NEAR(value_of(down), 0.875, 1e-5);
}

TEST(AdamW, ClearsGradientsAndSkipsWeightsWithoutOne) {
  const Trained moved = scalar(1, 1, true), still = scalar(1, 1, true);
  still.weight.mutable_grad().reset();
  adamw_step({moved, still}, {.lr = 0.5, .weight_decay = 0.5}, 1);
  EXPECT_FALSE(moved.weight.grad().defined());
  EXPECT_EQ(value_of(still), 1);
}

TEST(AdamW, ClipsTheGlobalNorm) {
  // (3, 4) has norm 5: clipped to 1 it is (0.6, 0.8). The first moment shows it.
  const Trained a = scalar(0, 3, false), b = scalar(0, 4, false);
  adamw_step({a, b}, {.beta1 = 0.5, .clip = 1}, 1);
  EXPECT_NEAR(a.moments.mean.item<double>(), 0.3, 1e-6);
  EXPECT_NEAR(b.moments.mean.item<double>(), 0.4, 1e-6);
  const Trained small = scalar(0, 0.5, false);  // under the limit: untouched
  adamw_step({small}, {.beta1 = 0.5, .clip = 1}, 1);
  EXPECT_EQ(small.moments.mean.item<double>(), 0.25);
}

}  // namespace
}  // namespace diopter::engine
