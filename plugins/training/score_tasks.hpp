// How well a model does on prompts with answers.
#pragma once

#include <string>
#include <vector>

#include <diopter/prompts.hpp>
#include <diopter/training.hpp>

namespace training {

struct TaskScore {
  std::string task;
  diopter::Index prompts = 0;
  double accuracy = 0;     // share of prompts whose arg-max over the whole vocabulary is one of the answers
  double above_foil = 0;   // share of prompts whose best answer has a larger logit than the best foil
  double logit_diff = 0;   // mean of best answer - best foil (logit)
  double probability = 0;  // mean of the answers' summed probability
};

// One score for each value of column "group", in order of appearance. Needs columns answer and foil of single tokens.
// The answer is read after each prompt's last token.
std::vector<TaskScore> score_tasks(diopter::Trainable& model, const diopter::Prompts& prompts);

}  // namespace training
