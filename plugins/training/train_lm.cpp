#include "train_lm.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "loss_history.hpp"
#include "schedule.hpp"
#include "score_tasks.hpp"

namespace training {
namespace {

using diopter::AdamW;
using diopter::Batch;
using diopter::Context;
using diopter::Error;
using diopter::Index;
using diopter::Params;
using diopter::Path;

diopter::ModelInfo shape_of(const Params& params, const diopter::Prompts& data) {
  diopter::ModelInfo shape;
  shape.name = "trained";
  shape.family = "gpt2";
  shape.n_layers = params.get<Index>("n_layers");
  shape.n_heads = shape.n_kv_heads = params.get<Index>("n_heads");
  shape.d_model = params.get<Index>("d_model");
  shape.d_head = shape.d_model / shape.n_heads;
  shape.d_mlp = params.get<Index>("d_mlp");
  shape.d_vocab = params.get<Index>("d_vocab");
  shape.n_ctx = params.get<Index>("n_ctx");
  shape.attention_scale = 1 / std::sqrt(static_cast<double>(shape.d_head));
  if (shape.d_vocab == 0) shape.d_vocab = data.inputs().max().item<Index>() + 1;
  return shape;
}

diopter::Init init_of(const Params& params) {
  return {.embed = params.get<double>("init_embed"),
          .linear = params.get<double>("init_linear"),
          .by_fan_in = params.get<bool>("init_by_fan_in"),
          .sinusoidal = params.get<bool>("init_sinusoidal"),
          .shrink_writers = params.get<bool>("init_shrink_writers")};
}

AdamW optimiser_of(const Params& params) {
  return {.lr = params.get<double>("lr"),
          .beta1 = params.get<double>("beta1"),
          .beta2 = params.get<double>("beta2"),
          .eps = params.get<double>("eps"),
          .weight_decay = params.get<double>("weight_decay"),
          .clip = params.get<double>("clip")};
}

Schedule schedule_of(const Params& params) {
  return {.steps = params.get<Index>("steps"),
          .warmup = params.get<Index>("warmup"),
          .peak = params.get<double>("lr"),
          .decay = params.get<double>("decay"),
          .floor = params.get<double>("floor")};
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Loss and remaining time, for the progress line.
std::string shown(double loss, double seconds_left) {
  char text[64];
  std::snprintf(text, sizeof text, "loss %.3f, %d min left", loss, static_cast<int>(std::ceil(seconds_left / 60)));
  return text;
}

// One training run: the loop, its checkpoints and its record.
class Training {
 public:
  Training(Context& ctx, diopter::Trainable model, diopter::Stream stream)
      : ctx_(ctx),
        model_(std::move(model)),
        stream_(std::move(stream)),
        optimiser_(optimiser_of(ctx.params())),
        schedule_(schedule_of(ctx.params())),
        folder_(ctx.scratch() / "checkpoint"),
        history_file_(ctx.scratch() / "loss.json") {
    model_.attach(stream_);
    if (model_.resume(folder_)) history_.read(history_file_, model_.steps());
    for (const LossHistory::Point& point : history_.points()) log(point);
  }

  void run() {
    const Index log_every = ctx_.params().get<Index>("log_every"),
                checkpoint_every = ctx_.params().get<Index>("checkpoint_every");
    const Index first = model_.steps();
    const double began = seconds_now();
    while (model_.steps() < schedule_.steps) {
      const double loss = step();
      const Index done = model_.steps();
      if (done % log_every == 0 || done == schedule_.steps) log(history_.close(done));
      const double pace = (seconds_now() - began) / static_cast<double>(done - first);
      ctx_.progress("training", done, schedule_.steps, shown(loss, pace * static_cast<double>(schedule_.steps - done)));
      const bool stop = ctx_.stop_requested();
      if (stop || done % checkpoint_every == 0) save();
      if (stop)
        throw diopter::Stopped("stopped after step " + std::to_string(done) +
                               "; run the manifest again to go on from there.");
    }
    save();
  }

  diopter::Trainable& model() { return model_; }
  const LossHistory& history() const { return history_; }

 private:
  // The mean loss before the step.
  double step() {
    const double began = seconds_now();
    const std::vector<Batch> batches = stream_.next();
    Index targets = 0;
    for (const Batch& batch : batches) targets += batch.targets.ge(0).sum().item<Index>();
    const double loss = model_.backward(batches);
    if (!std::isfinite(loss))
      throw Error("the loss is not finite at step " + std::to_string(model_.steps()) + "; try a smaller lr.");
    AdamW with = optimiser_;
    with.lr = schedule_.rate(model_.steps());
    model_.step(with);
    history_.add(loss * static_cast<double>(targets), targets, seconds_now() - began);
    return loss;
  }

  // The history first: a checkpoint never has less of it than it needs.
  void save() {
    history_.write(history_file_, model_.steps());
    model_.save(folder_);
  }

  void log(const LossHistory::Point& point) {
    ctx_.log().metric("loss", point.loss, point.step);
    ctx_.log().metric("tokens_per_second", point.tokens_per_second, point.step);
  }

  Context& ctx_;
  diopter::Trainable model_;
  diopter::Stream stream_;
  AdamW optimiser_;
  Schedule schedule_;
  Path folder_, history_file_;
  LossHistory history_;
};

double final_loss(const LossHistory& history, Index steps) {
  double sum = 0;
  Index count = 0;
  for (const LossHistory::Point& point : history.points()) {
    if (point.step + 100 <= steps && point.step != steps) continue;
    sum += point.loss;
    ++count;
  }
  return sum / static_cast<double>(count);
}

void test(Context& ctx, diopter::Trainable& model) {
  double sum = 0, worst = 1;
  const std::vector<TaskScore> scores = score_tasks(model, ctx.prompts("heldout"));
  for (const TaskScore& score : scores) {
    ctx.log().row("heldout_tasks",
                  {score.task, score.prompts, score.accuracy, score.above_foil, score.logit_diff, score.probability});
    sum += score.accuracy;
    worst = std::min(worst, score.accuracy);
  }
  ctx.log().metric("heldout_accuracy", sum / static_cast<double>(scores.size()));
  ctx.log().metric("worst_task_accuracy", worst);
}

}  // namespace

TrainLm::TrainLm(const Params& params) {
  const Index d_model = params.get<Index>("d_model"), n_heads = params.get<Index>("n_heads");
  if (d_model % n_heads != 0) {
    throw Error("d_model = " + std::to_string(d_model) + " is not a multiple of n_heads = " + std::to_string(n_heads) +
                "; change one.");
  }
}

void TrainLm::run(Context& ctx) {
  const Params& params = ctx.params();
  const diopter::Prompts& data = ctx.prompts("data");
  const diopter::StreamOptions batches{.rows = params.get<Index>("batch_rows"),
                                       .micro_rows = params.get<Index>("micro_rows"),
                                       .length = params.get<Index>("row_length")};
  Training training(ctx, ctx.trainable(shape_of(params, data), init_of(params)), ctx.stream(data, batches));
  training.run();
  ctx.log().metric("final_loss", final_loss(training.history(), training.model().steps()));
  test(ctx, training.model());
  ctx.log().model("model", training.model());
  ctx.log().figure("loss_curve", {.as = "line", .of = "loss", .x = "step"});
  ctx.log().figure("tasks", {.as = "table", .of = "heldout_tasks"});
}

}  // namespace training
