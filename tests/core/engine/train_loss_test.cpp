#include "engine/train_loss.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/engine/train_fixture.hpp"
#include "engine/train_gradient.hpp"

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

// Micro-batches on several threads against the same rows in one batch.
TEST(Trainable, BackwardIsTheGradientOfTheMean) {
  const auto ours = make_trainable(small_shape(), {.embed = 0.5, .linear = 0.5}, generator(1));
  const auto reference = make_trainable(small_shape(), {.embed = 0.5, .linear = 0.5}, generator(1));
  const auto micro = make_stream(counting_documents(40), {.rows = 40, .micro_rows = 7}, generator(2))->next();
  const auto whole = make_stream(counting_documents(40), {.rows = 40}, generator(2))->next();
  ASSERT_EQ(micro.size(), 6U);
  ASSERT_EQ(whole.size(), 1U);
  const double loss = ours->backward(micro);
  const at::Tensor mean = reference->loss(whole[0]) / whole[0].targets.ge(0).sum();
  mean.backward();
  double largest = 0;
  for (std::size_t i = 0; i < ours->parameters().size(); ++i) {
    const at::Tensor a = ours->parameters()[i].grad(), b = reference->parameters()[i].grad();
    largest = std::max(largest, ((a - b).abs().max() / b.abs().max()).item<double>());
  }
  std::printf("loss differs by %.2g, gradients by at most %.2g of their largest\n", loss - mean.item<double>(),
              largest);
  EXPECT_NEAR(loss, mean.item<double>(), 1e-5);
  EXPECT_LT(largest, 1e-5);
}

TEST(Trainable, BackwardRefusesAStepWithoutTargets) {
  const auto model = make_trainable(small_shape(), {}, generator(1));
  const at::Tensor ids = at::zeros({2, 5}, at::kLong);
  EXPECT_THROW(model->backward({{ids, at::full_like(ids, -1)}}), Error);
}

// A loss that fails on one thread: its exception arrives, no thread waits for the missing turn.
TEST(AccumulateGradients, PassesAnExceptionOn) {
  const at::Tensor weight = at::ones({3}).set_requires_grad(true);
  const auto loss = [&](std::size_t index) {
    if (index == 2) throw Error("the third");
    return weight.sum() * static_cast<double>(index);
  };
  ThreadTeam team(3);
  EXPECT_THROW(accumulate_gradients(team, {weight}, 8, 1.0, loss), Error);
}

TEST(AccumulateGradients, AddsToWhatIsThere) {
  const at::Tensor weight = at::ones({3}).set_requires_grad(true), unused = at::ones({2}).set_requires_grad(true);
  const auto loss = [&](std::size_t index) { return weight.sum() * static_cast<double>(index); };
  ThreadTeam team(2);
  EXPECT_EQ(accumulate_gradients(team, {weight, unused}, 5, 0.5, loss), 3.0 * (0 + 1 + 2 + 3 + 4));
  accumulate_gradients(team, {weight, unused}, 2, 1.0, loss);
  EXPECT_TRUE(at::equal(weight.grad(), at::full({3}, 0.5 * 10 + 1)));
  EXPECT_FALSE(unused.grad().defined());
}

}  // namespace
}  // namespace diopter::engine
