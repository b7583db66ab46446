#include "engine/readout.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include <diopter/error.hpp>

#include "engine/metric_values.hpp"

namespace diopter::engine {
namespace {

constexpr Index kReadoutChunk = 4 << 20;  // logits of one chunk

double nan_number() { return std::nan(""); }

class Chunks {
 public:
  Chunks(const model::Transformer& model, const Tensor& resid, const Read& what) : model_(model), what_(what) {
    const ModelInfo& info = model.info();
    const auto dims = resid.dim();
    if (dims < 1 || resid.size(-1) != info.d_model) {
      throw Error(fmt::format("read takes a residual stream [..., {}], got [{}]", info.d_model,
                              fmt::join(resid.sizes(), ", ")));
    }
    if (what.top_k < 0 || what.top_k > info.d_vocab)
      throw Error(fmt::format("top_k {} is outside 0..{}", what.top_k, info.d_vocab));
    shape_.assign(resid.sizes().begin(), resid.sizes().end() - 1);
    rows_ = resid.reshape({-1, info.d_model});
    if (what.kl_from.defined()) {
      if (what.kl_from.sizes() != resid.sizes())
        throw Error("kl_from must have the shape of the residual stream that is read");
      from_ = what.kl_from.reshape({-1, info.d_model});
    }
    if (what.targets.defined()) targets_ = spread_targets(what.targets);
    step_ = std::max<Index>(1, kReadoutChunk / info.d_vocab);
  }

  Readout all() {
    for (Index first = 0; first < rows_.size(0); first += step_) chunk(first, std::min(step_, rows_.size(0) - first));
    Readout out;
    out.token = joined(token_, {what_.top_k});
    out.log_prob = joined(log_prob_, {what_.top_k});
    out.kl = joined(kl_, {});
    out.entropy = joined(entropy_, {});
    if (targets_.defined()) {
      out.target_logit = joined(target_logit_, {targets_.size(1)});
      out.target_log_prob = joined(target_log_prob_, {targets_.size(1)});
      out.target_rank = joined(target_rank_, {targets_.size(1)});
    }
    return out;
  }

 private:
  Tensor spread_targets(const Tensor& targets) const {
    if (shape_.empty() || targets.dim() != 2 || targets.size(0) != shape_.front()) {
      throw Error(fmt::format(
          "targets must be [prompt, n] for a residual stream whose first dimension is prompt ({}), got [{}]",
          shape_.empty() ? 0 : shape_.front(), fmt::join(targets.sizes(), ", ")));
    }
    const Index each = shape_.front() == 0 ? 1 : rows_.size(0) / shape_.front();
    return targets.to(rows_.device()).repeat_interleave(each, 0);
  }

  Tensor log_probs(const Tensor& rows, Tensor* logits) const {
    const Tensor own = model_.unembed(model_.final_norm(rows)).to(at::kDouble);
    if (logits != nullptr) *logits = own;
    return own.log_softmax(-1);
  }

  void chunk(Index first, Index count) {
    const Tensor rows = rows_.narrow(0, first, count);
    Tensor logits;
    const Tensor log_p = log_probs(rows, &logits);
    const Tensor padding = rows.isnan().any(1);
    if (what_.top_k > 0) {
      auto [value, token] = log_p.topk(what_.top_k, -1);
      log_prob_.push_back(value.masked_fill(padding.unsqueeze(1), nan_number()));
      token_.push_back(token.masked_fill(padding.unsqueeze(1), -1));
    }
    if (what_.entropy) entropy_.push_back(entropy_of(log_p).masked_fill(padding, nan_number()));
    if (from_.defined()) {
      const Tensor from = from_.narrow(0, first, count);
      const Tensor absent = padding | from.isnan().any(1);
      kl_.push_back(divergence(log_probs(from, nullptr), log_p).masked_fill(absent, nan_number()));
    }
    if (targets_.defined()) target(logits, log_p, targets_.narrow(0, first, count), padding.unsqueeze(1));
  }

  void target(const Tensor& logits, const Tensor& log_p, const Tensor& tokens, const Tensor& padding) {
    const Tensor absent = padding | (tokens < 0), index = tokens.clamp_min(0);
    const Tensor own = logits.gather(1, index);
    std::vector<Tensor> ranks;
    for (Index n = 0; n < tokens.size(1); ++n) ranks.push_back((logits > own.narrow(1, n, 1)).sum(1));
    target_logit_.push_back(own.masked_fill(absent, nan_number()));
    target_log_prob_.push_back(log_p.gather(1, index).masked_fill(absent, nan_number()));
    const Tensor rank = ranks.empty() ? at::zeros_like(own) : at::stack(ranks, 1).to(at::kDouble);
    target_rank_.push_back(rank.masked_fill(absent, nan_number()));
  }

  Tensor joined(const std::vector<Tensor>& parts, std::vector<Index> tail) const {
    if (parts.empty()) return {};
    std::vector<Index> shape = shape_;
    shape.insert(shape.end(), tail.begin(), tail.end());
    return at::cat(parts).reshape(shape);
  }

  const model::Transformer& model_;
  const Read& what_;
  std::vector<Index> shape_;  // of resid without d_model
  Tensor rows_, from_, targets_;
  Index step_ = 1;
  std::vector<Tensor> token_, log_prob_, kl_, entropy_, target_logit_, target_log_prob_, target_rank_;
};

}  // namespace

Readout read_out(const model::Transformer& model, const Tensor& resid, const Read& what) {
  return Chunks(model, resid, what).all();
}

}  // namespace diopter::engine
