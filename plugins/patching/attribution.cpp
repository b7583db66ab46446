#include "attribution.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace diopter::patching {
namespace {

constexpr Index kBytesAtOnce = 128 << 20;  // of captured activations

std::string post_scale(Index layer) { return "blocks." + std::to_string(layer) + ".ln2_post.hook_scale"; }

// int64 [prompt]
Tensor one_token(const Prompts& rows, const char* column) {
  const Tensor tokens = rows.answers(column);  // [prompt, choice, token]
  if (tokens.size(1) > 1 || tokens.size(2) > 1) {
    throw Error(std::string("the '") + column +
                "' of these prompts is a set or several tokens; a direct attribution needs the direction of one token "
                "per prompt; give one.");
  }
  return tokens.select(2, 0).select(1, 0);
}

// Rows in order of length, in portions whose activations fit.
std::vector<Tensor> portions(const Prompts& rows, Index layers, const ModelInfo& info) {
  const Tensor order = rows.lengths().argsort(true, 0, false);
  const Index row_bytes = layers * (2 * info.d_mlp + 2) * static_cast<Index>(sizeof(float));
  return order.split(std::max<Index>(1, kBytesAtOnce / row_bytes));
}

class Attribution {
 public:
  Attribution(Context& ctx, const std::vector<Index>& layers, const Positions& at)
      : ctx_(ctx), layers_(layers), at_{.positions = at} {
    for (const Index layer : layers) {
      posts_.push_back(post_hook(layer));
      outs_.push_back("blocks." + std::to_string(layer) + ".hook_mlp_out");
      if (info().post_norms) scales_.push_back(post_scale(layer));
    }
    if (info().norm != NormKind::None) scales_.emplace_back("ln_final.hook_scale");
    sum_ = at::zeros({std::ssize(layers), info().d_mlp}, at::kDouble);
  }

  // Adds those of some prompts: sides.base, sides.donor and `change` are theirs alone.
  void add(const Sides& sides, const Change& change) {
    std::vector<std::string> seen = posts_;
    seen.insert(seen.end(), scales_.begin(), scales_.end());
    const Capture base = ctx_.capture(sides.base, HookSet(seen), at_);
    // Every neuron at once takes its new value; what the MLPs write stays, so no later neuron notices.
    const Capture replaced = ctx_.capture(sides.base, HookSet(posts_), at_,
                                          Edits().at(HookSet(posts_), change).at(HookSet(outs_), Change::freeze()));
    const bool foil = sides.base.has("foil");
    const Tensor u =
        ctx_.model()
            .logit_direction(one_token(sides.base, "answer"), foil ? one_token(sides.base, "foil") : Tensor())
            .u.to(at::kFloat);  // [prompt, d_model]
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Index layer = layers_[i];
      Tensor scale = at::ones({1, 1, 1}, u.options());  // [prompt, slot, 1]
      Tensor direction = u;
      if (info().norm != NormKind::None) scale = scale * base["ln_final.hook_scale"];
      if (info().post_norms) {
        scale = scale * base[post_scale(layer)];
        direction = behind_post_norm(u, layer);
      }
      const Tensor along = direction.mm(ctx_.model().weight("W_out", layer).to(at::kFloat).t());  // [prompt, neuron]
      const Tensor difference = replaced[posts_[i]].to(at::kFloat) - base[posts_[i]].to(at::kFloat);
      const Tensor by_slot = difference * along.unsqueeze(1) / scale;  // NaN where a row has no such position
      sum_[static_cast<Index>(i)] += by_slot.to(at::kDouble).nanmean(1).nansum(0).to(at::kCPU);
    }
    prompts_ += sides.base.size();
  }

  Tensor mean() const { return sum_ / static_cast<double>(prompts_); }

 private:
  const ModelInfo& info() const { return ctx_.model().info(); }

  Tensor behind_post_norm(const Tensor& u, Index layer) const {
    const Tensor gain = ctx_.model().weight("ln2_post_w", layer);
    Tensor out = gain.defined() ? u * gain.to(at::kFloat) : u;
    return info().norm == NormKind::LayerNorm ? out - out.mean(-1, true) : out;
  }

  Context& ctx_;
  const std::vector<Index>& layers_;
  Where at_;
  std::vector<std::string> posts_, outs_, scales_;
  Tensor sum_;  // double [layer, neuron]
  Index prompts_ = 0;
};

}  // namespace

std::string post_hook(Index layer) { return "blocks." + std::to_string(layer) + ".mlp.hook_post"; }

Tensor direct_attribution(Context& ctx, const Sides& sides, Text replace_by, const std::vector<Index>& layers,
                          const Positions& at) {
  Attribution attribution(ctx, layers, at);
  Index done = 0;
  for (const Tensor& rows : portions(sides.base, std::ssize(layers), ctx.model().info())) {
    const Sides part = sides.select(rows);
    attribution.add(part, part.change(replace_by));
    ctx.progress("attribution", done += rows.size(0), sides.base.size());
  }
  return attribution.mean();
}

}  // namespace diopter::patching
