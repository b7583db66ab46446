// The forward under autograd: gradients of every parameter and of shown values.
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

using testing::largest;
using testing::largest_difference;
using testing::random_ids;
using testing::random_parameters;
using testing::RecordingTap;
using testing::tiny_info;

at::Tensor loss_of(const at::Tensor& logits) {
  const at::Tensor weights = at::linspace(-1, 1, logits.numel(), logits.options()).view(logits.sizes());
  return (at::log_softmax(logits, -1) * weights).sum();
}

Parameters trainable(at::ScalarType dtype) {
  ModelInfo info = tiny_info();
  info.n_layers = 2;
  return random_parameters(info, 4, dtype).transformed([](Slot, const at::Tensor& w) {
    return w.detach().clone().requires_grad_(true);
  });
}

TEST(Autograd, GradientsOfEveryParameterEqualFiniteDifferences) {
  const Parameters parameters = trainable(at::kDouble);
  const Transformer model(parameters);
  const at::Tensor ids = random_ids(model.info(), 2, 7);
  loss_of(model.forward(ids)).backward();
  double worst = 0;
  for (const Slot slot : slots(model.info())) {
    const at::Tensor& w = parameters.get(slot.part, slot.layer);
    ASSERT_TRUE(w.grad().defined()) << slot_name(slot);
    // Along a random direction: (L(w + h d) - L(w - h d)) / 2h.
    const at::Tensor direction = at::randn(w.sizes(), at::detail::createCPUGenerator(11), w.options());
    const double h = 1e-5;
    const c10::NoGradGuard no_graph;
    const auto shifted = [&](double by) {
      return Transformer(parameters.transformed([&](Slot s, const at::Tensor& x) {
               return s.part == slot.part && s.layer == slot.layer ? x + by * direction : x;
             }))
          .forward(ids);
    };
    const double numeric = (loss_of(shifted(h)) - loss_of(shifted(-h))).item<double>() / (2 * h);
    const double exact = (w.grad() * direction).sum().item<double>();
    EXPECT_NEAR(numeric, exact, 1e-6 * (1 + std::abs(exact))) << slot_name(slot);
    worst = std::max(worst, std::abs(numeric - exact) / (1 + std::abs(exact)));
  }
  fmt::print("{} parameters, largest relative difference {:.3g}\n", slots(model.info()).size(), worst);
}

TEST(Autograd, RecordingAGraphChangesNoLogit) {
  const Parameters parameters = trainable(at::kFloat);
  const Transformer model(parameters);
  const at::Tensor ids = random_ids(model.info(), 2, 7), with_graph = model.forward(ids);
  const c10::InferenceMode no_graph;
  EXPECT_LE(largest_difference(with_graph.detach(), model.forward(ids)), 1e-6);
}

TEST(Autograd, ExplicitAndFusedGradientsAgree) {
  const at::Tensor ids = random_ids(tiny_info(), 2, 7);
  const Parameters a = trainable(at::kFloat), b = trainable(at::kFloat);
  Pass slow;
  slow.path = {true, true, true};
  loss_of(Transformer(a).forward(ids)).backward();
  loss_of(Transformer(b).forward(ids, slow)).backward();
  for (const Slot slot : slots(a.info())) {
    const at::Tensor ga = a.get(slot.part, slot.layer).grad(), gb = b.get(slot.part, slot.layer).grad();
    EXPECT_LE(largest_difference(ga, gb), 1e-4 * (1 + largest(ga))) << slot_name(slot);
  }
}

// Every shown value, made a leaf by the tap, gets the gradient of the loss: none is off the path of the graph.
TEST(Autograd, EveryShownValueHasAGradient) {
  ModelInfo info = tiny_info();
  info.n_layers = 2;
  const Transformer model(random_parameters(info, 4, at::kDouble));  // no parameter needs a gradient
  const at::Tensor ids = random_ids(info, 2, 7);
  for (Index i = 0; i < model.hooks().size(); ++i) {
    const auto id = static_cast<HookId>(i);
    at::Tensor leaf;
    RecordingTap tap(model.hooks(), {id}, [&](HookId, const at::Tensor& value) {
      leaf = value.detach().clone(at::MemoryFormat::Contiguous).requires_grad_(true);
      return leaf;
    });
    loss_of(model.forward(ids, {&tap})).backward();
    ASSERT_TRUE(leaf.grad().defined()) << model.hooks()[id].name;
    EXPECT_TRUE(leaf.grad().isfinite().all().item<bool>()) << model.hooks()[id].name;

    // Against a finite difference along the gradient's own direction, leaving masked scores at -inf.
    const c10::NoGradGuard no_graph;
    const at::Tensor direction = leaf.grad() / leaf.grad().norm();
    const double h = 1e-5, exact = leaf.grad().norm().item<double>();
    const auto shifted = [&](double by) {
      RecordingTap edit(model.hooks(), {id}, [&](HookId, const at::Tensor& value) { return value + by * direction; });
      return loss_of(model.forward(ids, {&edit})).item<double>();
    };
    EXPECT_NEAR((shifted(h) - shifted(-h)) / (2 * h), exact, 1e-5 * (1 + exact)) << model.hooks()[id].name;
  }
}

// With weights in the graph a tap that only looks (and retains gradients) must see the value the loss came through. The
// one exception is documented: where gradients of q/k/v inputs are wanted, the branches do not pass through the shared
// ln1.*.
TEST(Autograd, RetainedGradientsOfObservedValues) {
  const Parameters parameters = trainable(at::kDouble);
  const Transformer model(parameters);
  const at::Tensor ids = random_ids(model.info(), 2, 7);
  RecordingTap tap = RecordingTap::all(model.hooks(), [](HookId, const at::Tensor& value) {
    value.retain_grad();
    return value;
  });
  loss_of(model.forward(ids, {&tap})).backward();
  for (const auto& [id, value] : tap.values) {
    const Point point = model.hooks().point(id);
    EXPECT_EQ(value.grad().defined(), point != Point::Ln1Scale && point != Point::Ln1Normalized)
        << model.hooks()[id].name;
  }
}

}  // namespace
}  // namespace diopter::model
