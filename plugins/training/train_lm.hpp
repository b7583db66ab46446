// Kind train_lm: a GPT-2 trained from random weights on a data set, then tested on prompts.
#pragma once

#include <diopter/context.hpp>
#include <diopter/table.hpp>

namespace training {

inline constexpr diopter::Row kTrainLmTable[] = {
    diopter::param("data", diopter::PromptSet, {.example = "'@corpus/documents'", .doc = "The documents."}),
    diopter::param(
        "heldout", diopter::PromptSet,
        {.example = "'@corpus/heldout'", .doc = "Prompts for the test, with columns group, answer and foil."}),
    diopter::param("n_layers", diopter::Int, {.fallback = "4", .min = 1, .max = 1000, .doc = "Blocks."}),
    diopter::param("n_heads", diopter::Int, {.fallback = "4", .min = 1, .max = 1000, .doc = "Heads of a block."}),
    diopter::param("d_model", diopter::Int,
                   {.fallback = "128", .min = 1, .max = 100'000, .doc = "Width of the residual stream."}),
    diopter::param("d_mlp", diopter::Int,
                   {.fallback = "512", .min = 1, .max = 1'000'000, .doc = "Neurons of a block."}),
    diopter::param(
        "d_vocab", diopter::Int,
        {.fallback = "0", .min = 0, .max = 10'000'000, .doc = "Tokens; 0: one more than the largest id of the data."}),
    diopter::param("n_ctx", diopter::Int, {.fallback = "96", .min = 1, .max = 1'000'000, .doc = "Positions."}),
    diopter::param("steps", diopter::Int,
                   {.fallback = "4200", .min = 1, .max = 100'000'000, .doc = "Steps of the optimiser."}),
    diopter::param("batch_rows", diopter::Int,
                   {.fallback = "64", .min = 1, .max = 1'000'000, .doc = "Documents a step."}),
    diopter::param("micro_rows", diopter::Int,
                   {.fallback = "8",
                    .min = 0,
                    .max = 1'000'000,
                    .doc = "Documents at once on one thread, sorted by length; 0: all."}),
    diopter::param("row_length", diopter::Int,
                   {.fallback = "0",
                    .min = 0,
                    .max = 1'000'000,
                    .unit = "tokens",
                    .doc = "0: a document a row; else documents are packed to this length."}),
    diopter::param("lr", diopter::Float, {.fallback = "2e-3", .min = 0, .doc = "Learning rate after the warm-up."}),
    diopter::param("warmup", diopter::Int,
                   {.fallback = "200", .min = 0, .max = 100'000'000, .doc = "Steps of linear warm-up."}),
    diopter::param("decay", diopter::Float,
                   {.fallback = "0.25", .min = 0, .max = 1, .doc = "Last fraction of the steps, with linear decay."}),
    diopter::param("floor", diopter::Float,
                   {.fallback = "0.02", .min = 0, .max = 1, .doc = "Share of lr that is left at the end."}),
    diopter::param("beta1", diopter::Float,
                   {.fallback = "0.9", .min = 0, .max = 1, .doc = "AdamW: decay of the gradient's mean."}),
    diopter::param("beta2", diopter::Float,
                   {.fallback = "0.98", .min = 0, .max = 1, .doc = "AdamW: decay of the gradient's square."}),
    diopter::param("eps", diopter::Float,
                   {.fallback = "1e-8", .min = 0, .doc = "AdamW: added to the root of the square."}),
    diopter::param("weight_decay", diopter::Float,
                   {.fallback = "0.1", .min = 0, .doc = "On the matrices of the blocks."}),
    diopter::param("clip", diopter::Float,
                   {.fallback = "1.0", .min = 0, .doc = "Largest global norm of the gradient; 0: any."}),
    diopter::param("init_embed", diopter::Float,
                   {.fallback = "0.1", .min = 0, .doc = "Deviation of the embeddings at the start."}),
    diopter::param("init_linear", diopter::Float,
                   {.fallback = "0.8", .min = 0, .doc = "Deviation of the matrices at the start."}),
    diopter::param("init_by_fan_in", diopter::Bool,
                   {.fallback = "true", .doc = "init_linear is divided by the root of the fan-in."}),
    diopter::param("init_sinusoidal", diopter::Bool,
                   {.fallback = "true", .doc = "The position embedding starts as sines and cosines."}),
    diopter::param("init_shrink_writers", diopter::Bool,
                   {.fallback = "true",
                    .doc = "Matrices that write into the stream are divided by the root of twice the layers."}),
    diopter::param("log_every", diopter::Int,
                   {.fallback = "20", .min = 1, .doc = "Steps between values of the loss.", .cosmetic = true}),
    diopter::param("checkpoint_every", diopter::Int,
                   {.fallback = "200", .min = 1, .doc = "Steps between checkpoints.", .cosmetic = true}),
    diopter::metric(
        "loss",
        {.unit = "nat", .better = "lower", .doc = "Mean over the counted targets since the last value, by step."}),
    diopter::metric("tokens_per_second",
                    {.unit = "tokens/s", .better = "higher", .doc = "Counted targets a second, by step."}),
    diopter::metric("final_loss",
                    {.unit = "nat", .better = "lower", .doc = "Mean of the last values of the loss (100 steps)."}),
    diopter::metric("heldout_accuracy",
                    {.better = "higher", .doc = "Mean over the tasks of the share of right arg-maxes."}),
    diopter::metric("worst_task_accuracy", {.better = "higher", .doc = "The same of the task with the lowest."}),
    diopter::table(
        "heldout_tasks", "row",
        "task:text prompts:int accuracy:float above_foil:float logit_diff:float probability:float",
        {.doc = "Accuracy over the whole vocabulary, answer above foil, logit difference, probability; by task."}),
    diopter::model("model", {.doc = "The trained model."}),
    diopter::figure("loss_curve", {.doc = "Loss by step."}),
    diopter::figure("tasks", {.doc = "The test, by task."}),
    diopter::needs(diopter::Need::Training),
};

class TrainLm final : public diopter::Analysis {
 public:
  explicit TrainLm(const diopter::Params& params);

 private:
  void run(diopter::Context& ctx) override;
};

}  // namespace training
