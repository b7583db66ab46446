#include "score_tasks.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <limits>

#include <diopter/error.hpp>

namespace training {
namespace {

using diopter::Index;

constexpr Index kRowsAtOnce = 256;

struct Choices {
  at::Tensor ids, missing;  // int64 [prompt, choice]; bool, true for padding
};

Choices choices_of(const diopter::Prompts& prompts, const char* column) {
  const at::Tensor all = prompts.answers(column);  // [prompt, choice, token]
  if (all.size(2) != 1)
    throw diopter::Error(std::string("column '") + column +
                         "' has answers of several tokens; a test needs single ones.");
  const at::Tensor ids = all.select(2, 0);
  return {ids.clamp_min(0), ids.lt(0)};
}

at::Tensor picked(const at::Tensor& logits, const Choices& choices) {
  return logits.gather(1, choices.ids).masked_fill(choices.missing, -std::numeric_limits<double>::infinity());
}

void add_batch(TaskScore& score, diopter::Trainable& model, const diopter::Prompts& batch) {
  const at::Tensor inputs = batch.inputs();                                       // [prompt, pos], no padding
  const at::Tensor logits = model.forward(inputs).select(1, inputs.size(1) - 1);  // [prompt, d_vocab]
  const Choices answers = choices_of(batch, "answer"), foils = choices_of(batch, "foil");
  const at::Tensor best_answer = picked(logits, answers).amax(1),
                   difference = best_answer - picked(logits, foils).amax(1);
  score.prompts += batch.size();
  score.accuracy += best_answer.ge(logits.amax(1)).sum().item<double>();
  score.above_foil += difference.gt(0).sum().item<double>();
  score.logit_diff += difference.sum().item<double>();
  score.probability += (picked(logits, answers).logsumexp(1) - logits.logsumexp(1)).exp().sum().item<double>();
}

}  // namespace

std::vector<TaskScore> score_tasks(diopter::Trainable& model, const diopter::Prompts& prompts) {
  const at::NoGradGuard no_grad;
  std::vector<TaskScore> out;
  for (const diopter::Prompts& group : prompts.groups("group")) {
    TaskScore score{.task = group.column("group").front()};
    for (const diopter::Prompts& batch : group.batches(kRowsAtOnce)) add_batch(score, model, batch);
    const auto n = static_cast<double>(score.prompts);
    score.accuracy /= n;
    score.above_foil /= n;
    score.logit_diff /= n;
    score.probability /= n;
    out.push_back(std::move(score));
  }
  return out;
}

}  // namespace training
