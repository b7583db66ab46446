// Logit lens: what would the model predict if it stopped after each layer?
//
// The recomputed variant: each layer's residual stream goes through the final norm with its own statistics and the
// unembedding, p_l = softmax(LN_final(x_l) W_U + b_U). KL = KL(model's output || p_l), in nat; the last row is the
// output.
#include <ATen/ATen.h>
#include <diopter/plugin.hpp>

namespace {
using namespace diopter;

constexpr Row kTable[] = {
    param("top_k", Int,
          {.fallback = "5", .min = 1, .max = 100, .unit = "tokens", .doc = "Tokens listed per layer and position."}),
    tensor("kl", "prompt layer pos", {.unit = "nat", .doc = "KL(model output || lens after this layer)."}),
    tensor("entropy", "prompt layer pos", {.unit = "nat", .doc = "Entropy of the lens."}),
    table("top", "prompt layer pos rank", "token:token prob:float", {.doc = "The lens's most likely tokens."}),
    tensor("answer_rank", "prompt layer", {.doc = "Rank of the answer at the last token, 0 = best.", .optional = true}),
    tensor("answer_log_prob", "prompt layer",
           {.unit = "nat", .doc = "Log-probability of the answer at the last token.", .optional = true}),
    figure("grid", {.doc = "Layer by position: colour is KL, text is the top token."}),
    figure("rank", {.doc = "Rank of the answer after each layer."}),
    observe("blocks.*.hook_resid_post", "The residual stream after every block."),
};

class LogitLens final : public Analysis {
  void run(Context& ctx) override {
    const Index top_k = ctx.params().get<Index>("top_k");
    const Prompts all = ctx.prompts();
    const bool answers = all.has("answer");
    Index done = 0;
    for (const Prompts& batch : all.batches()) {
      const Capture seen = ctx.capture(batch, "blocks.*.hook_resid_post");
      std::vector<Tensor> layers;  // [prompt, pos, d_model]
      for (const auto& [point, resid] : seen) layers.push_back(resid);
      const Readout lens = ctx.model().read(at::stack(layers),  // all at once: the output is unembedded once
                                            {.top_k = top_k, .kl_from = seen.resid(), .entropy = true});
      Index l = 0;
      for (const auto& [point, resid] : seen) {
        const Labels where{.prompts = batch, .layer = point.layer};
        ctx.log().tensor("kl", lens.kl[l], where);  // [prompt, pos]
        ctx.log().tensor("entropy", lens.entropy[l], where);
        ctx.log().table("top", {{"token", lens.token[l]}, {"prob", lens.log_prob[l].exp()}}, where);
        if (answers) log_answer(ctx, batch, resid, where);
        ++l;
      }
      ctx.progress("prompts", done += batch.size(), all.size());
    }
    ctx.log().figure(
        "grid", {.as = "token_grid", .of = "kl", .x = "pos", .y = "layer", .slider = "prompt", .text = "top.token"});
    ctx.log().figure("rank", {.as = "line", .of = "answer_rank", .x = "layer", .colour = "prompt"});
  }

  // The first token of the first answer, read at each row's last token (rows of a batch are equally long).
  static void log_answer(Context& ctx, const Prompts& batch, const Tensor& resid, const Labels& where) {
    const Tensor target = batch.answers().select(1, 0).select(-1, 0).unsqueeze(-1);  // [prompt, 1]
    const Readout last = ctx.model().read(resid.select(1, resid.size(1) - 1), {.targets = target});
    ctx.log().tensor("answer_rank", last.target_rank.select(-1, 0), where);  // [prompt]
    ctx.log().tensor("answer_log_prob", last.target_log_prob.select(-1, 0), where);
  }
};
}  // namespace

DIOPTER_PLUGIN("org.diopter.logit_lens", "0.1.0",
               (LogitLens, "logit_lens", "Reads the model's prediction after every layer.", kTable))
