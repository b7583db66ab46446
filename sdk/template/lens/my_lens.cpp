// my_lens.cpp - what would the model say if it stopped after each layer?
#include <ATen/ATen.h>
#include <diopter/plugin.hpp>

namespace {
using namespace diopter;

constexpr Row kTable[] = {
    param("top_k", Int, {.fallback = "1", .min = 1, .max = 100, .doc = "Tokens listed per layer and position."}),
    tensor("kl", "prompt layer pos", {.unit = "nat", .doc = "KL(model output || lens after this layer)."}),
    table("top", "prompt layer pos rank", "token:token prob:float", {.doc = "The lens's most likely tokens."}),
    figure("grid", {.doc = "Layer by position: colour is KL, text is the top token."}),
    observe("blocks.*.hook_resid_post", "The residual stream after every block."),
};

class LogitLens final : public Analysis {
  void run(Context& ctx) override {
    const Index top_k = ctx.params().get<Index>("top_k");
    Index done = 0;
    for (const Prompts& batch : ctx.prompts().batches()) {
      const Capture seen = ctx.capture(batch, "blocks.*.hook_resid_post");
      for (const auto& [point, resid] : seen) {  // [prompt, pos, d_model]
        const Readout lens = ctx.model().read(resid, {.top_k = top_k, .kl_from = seen.resid()});
        const Labels where{.prompts = batch, .layer = point.layer};
        ctx.log().tensor("kl", lens.kl, where);  // [prompt, pos]
        ctx.log().table("top", {{"token", lens.token}, {"prob", lens.log_prob.exp()}}, where);
      }
      ctx.progress("prompts", done += batch.size(), ctx.prompts().size());
    }
    ctx.log().figure("grid", {.as = "token_grid", .of = "kl", .text = "top.token"});
  }
};
}  // namespace

DIOPTER_PLUGIN("org.example.logit_lens", "0.1.0",
               (LogitLens, "my_logit_lens", "Reads the model's prediction after every layer.", kTable))
