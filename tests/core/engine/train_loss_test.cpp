#include "engine/train_loss.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/engine/train_fixture.hpp"

namespace diopter::engine {
namespace {

// 3 x 300 tokens: several chunks of 256, the last of them short; a third of the targets is not counted.
TEST(SummedCrossEntropy, EqualsAutogradThroughAllLogits) {
  at::Tensor hidden = at::empty({3, 300, 16}, at::kFloat).normal_(0, 1, generator(1));
  at::Tensor unembed = at::empty({40, 16}, at::kFloat).normal_(0, 1, generator(2));
  at::Tensor targets = at::empty({3, 300}, at::kLong).random_(0, 40, generator(3));
  targets.masked_fill_(at::empty({3, 300}).uniform_(0, 1, generator(4)).lt(0.33), -1);
  at::Tensor hidden_2 = hidden.clone(), unembed_2 = unembed.clone();
  for (at::Tensor* leaf : {&hidden, &unembed, &hidden_2, &unembed_2}) leaf->set_requires_grad(true);

  const at::Tensor ours = summed_cross_entropy(hidden, unembed, targets);
  ours.backward(at::full({}, 0.01));
  const at::Tensor reference = at::cross_entropy_loss(at::linear(hidden_2, unembed_2).flatten(0, 1), targets.flatten(),
                                                      {}, at::Reduction::Sum, -1);
  reference.backward(at::full({}, 0.01));

  const double loss = (ours - reference).abs().item<double>(), scale = reference.item<double>();
  const double by_hidden = (hidden.grad() - hidden_2.grad()).abs().max().item<double>();
  const double by_unembed = (unembed.grad() - unembed_2.grad()).abs().max().item<double>();
  std::printf("compared %ld + %ld gradients; largest difference: loss %.2g of %.4g, gradients %.2g and %.2g\n",
              hidden.numel(), unembed.numel(), loss, scale, by_hidden, by_unembed);
  EXPECT_LT(loss / scale, 1e-6);
  EXPECT_LT(by_hidden, 1e-6);
  EXPECT_LT(by_unembed, 1e-5);
  const at::Tensor uncounted = hidden.grad().masked_select(targets.lt(0).unsqueeze(-1));
  EXPECT_EQ(uncounted.abs().max().item<double>(), 0);
}

TEST(SummedCrossEntropy, IsZeroWithoutTargets) {
  at::Tensor hidden = at::ones({2, 3, 4}).set_requires_grad(true), unembed = at::ones({5, 4}).set_requires_grad(true);
  const at::Tensor loss = summed_cross_entropy(hidden, unembed, at::full({2, 3}, -1, at::kLong));
  EXPECT_EQ(loss.item<double>(), 0);
  loss.backward();
  EXPECT_EQ(hidden.grad().abs().sum().item<double>(), 0);
}

// The whole model: gradients of every weight against a forward that keeps all logits.
TEST(Trainable, LossHasTheGradientsOfTheForward) {
  const auto ours = make_trainable(small_shape(), {.embed = 0.5, .linear = 0.5}, generator(1));
  const auto reference = make_trainable(small_shape(), {.embed = 0.5, .linear = 0.5}, generator(1));
  const auto batches = make_stream(counting_documents(16), {.rows = 8}, generator(2))->next();
  ASSERT_EQ(batches.size(), 1U);
  ours->loss(batches[0]).backward();
  const at::Tensor logits = reference->forward(batches[0].inputs);
  at::cross_entropy_loss(logits.flatten(0, 1), batches[0].targets.flatten(), {}, at::Reduction::Sum, -1).backward();
  double largest = 0;
  Index compared = 0;
  for (std::size_t i = 0; i < ours->parameters().size(); ++i) {
    const at::Tensor a = ours->parameters()[i].grad(), b = reference->parameters()[i].grad();
    largest = std::max(largest, ((a - b).abs().max() / b.abs().max().clamp_min(1)).item<double>());
    compared += a.numel();
  }
  std::printf("compared %ld gradients; largest relative difference %.2g\n", compared, largest);
  EXPECT_LT(largest, 1e-5);
}

}  // namespace
}  // namespace diopter::engine
