// A plugin whose kinds do what plugins should and should not do.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <diopter/plugin.hpp>

#include <functional>
#include <stdexcept>
#include <thread>

namespace {
using namespace diopter;

// What run() does is chosen by a parameter, so that one library serves all tests.
constexpr Row kTable[] = {
    param("how", String, {.fallback = "'well'", .doc = "What run() does."}),
    param("create", Choice,
          {.fallback = "'well'",
           .choices = "well|error|std|int|torch|memory|stopped",
           .doc = "What the constructor does."}),
    param("layers", IntList, {.fallback = "[0]", .min = 0, .max = 99, .index_of = "layer", .doc = "Layers."}),
    metric("loss", {.unit = "nat", .better = "lower", .doc = "A number.", .optional = true}),
    tensor("kl", "prompt layer pos", {.unit = "nat", .doc = "Must be written."}),
    tensor("extra", "layer pos|layer head", {.doc = "May be written.", .optional = true}),
    table("top", "prompt rank", "token:token prob:float", {.doc = "A table.", .optional = true}),
    figure("grid", {.doc = "Draws kl.", .optional = true}),
    text("notes", {.doc = "A text.", .optional = true}),
    observe("blocks.{layers}.hook_resid_post", "Looked at."),
};

[[noreturn]] void throw_one(const std::string& what) {
  if (what == "std") throw std::runtime_error("plain");
  if (what == "int") throw 3;
  if (what == "torch") at::zeros({2, 3}).matmul(at::zeros({2, 3}));
  if (what == "memory") throw std::bad_alloc();
  if (what == "stopped") throw Stopped("stopped by the user");
  throw Error("first_layer 8 is above last_layer 4");
}

class Test final : public Analysis {
 public:
  explicit Test(const Params& params) {
    const auto how = params.get<std::string>("create");
    if (how != "well") throw_one(how);
  }

 private:
  void run(Context& ctx) override {
    const auto how = ctx.params().get<std::string>("how");
    if (how.starts_with("throw ")) throw_one(how.substr(6));
    if (how == "undeclared metric") ctx.log().metric("los", 1);
    if (how == "wrong type") ctx.log().metric("kl", 1);
    if (how == "wrong param") ctx.params().get<double>("how");
    if (how == "undeclared hook") ctx.capture(ctx.prompts(), "blocks.1.hook_resid_post");
    if (how == "undeclared need") ctx.model().weight("W_E");
    if (how == "undeclared edits") ctx.edits();
    if (how == "undeclared generation") ctx.generate(ctx.prompts());
    if (how == "undeclared training") ctx.trainable(ctx.model().info());
    if (how == "undeclared stream") ctx.stream(ctx.prompts());
    if (how == "capture elsewhere") elsewhere([&] { ctx.capture(ctx.prompts(), "blocks.0.hook_resid_post"); });
    if (how == "grad mode") c10::GradMode::set_enabled(true);
    if (how == "threads") at::set_num_threads(at::get_num_threads() + 1);
    if (how == "weights") change_a_weight(ctx);
    if (how == "warning") {
      for (int again = 0; again < 2; ++again) ctx.log().warn("gap", "the gap is small");
    }
    if (how == "other thread") elsewhere([&] { ctx.progress("fine", 1, 2), ctx.log().metric("loss", 1); });
    if (how == "twice") ctx.log().text("notes", "a"), ctx.log().text("notes", "b");
    if (how == "figure kind") ctx.log().figure("grid", {.as = "heatmapp", .of = "kl"});
    if (how == "figure of") ctx.log().figure("grid", {.as = "heatmap", .of = "kll"});
    if (how == "random") ctx.log().metric("loss", at::rand({1}, ctx.rng("a")).item<double>());
    if (how != "nothing") ctx.log().tensor("kl", at::arange(6, at::kFloat).reshape({2, 3}), {.layer = 0});
    if (how == "figure absent") ctx.log().figure("grid", {.as = "heatmap", .of = "extra"});
    if (how == "figure") ctx.log().figure("grid", {.as = "token_grid", .of = "kl", .text = "top.token", .centre = 0});
  }

  // The tests' model hands out its weight itself.
  static void change_a_weight(Context& ctx) {
    Tensor weight = ctx.model().unembed(at::zeros({1}));
    weight.view({-1}).add_(1);
  }

  static void elsewhere(const std::function<void()>& work) {
    std::exception_ptr caught;
    std::thread([&] {
      try {
        work();
      } catch (...) {
        caught = std::current_exception();
      }
    }).join();
    if (caught) std::rethrow_exception(caught);
  }
};
}  // namespace

DIOPTER_PLUGIN("org.diopter.test", "0.1.0", (Test, "test", "Does what it is told.", kTable))
