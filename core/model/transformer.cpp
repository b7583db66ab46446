#include "model/transformer.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "model/config.hpp"
#include "model/linear.hpp"
#include "model/norm.hpp"
#include "model/shown.hpp"

namespace diopter::model {
namespace {

using base::Exit;
using base::UserError;

void check_ids(const at::Tensor& ids, const ModelInfo& info) {
  DIOPTER_CHECK(ids.dim() == 2 && ids.scalar_type() == at::kLong, "token ids are int64 [batch, pos]");
  if (ids.numel() == 0) return;
  const auto [low, high] = at::aminmax(ids);
  const Index lowest = low.item<Index>(), highest = high.item<Index>();
  if (lowest < -1 || highest >= info.d_vocab) {
    throw UserError(Exit::Refused,
                    fmt::format("expected token ids of 0 to {} (-1: a pad), got {}", info.d_vocab - 1,
                                lowest < -1 ? lowest : highest),
                    "use the tokenizer that belongs to the model", "model.token_id");
  }
}

void check_length(Index end, const ModelInfo& info) {
  if (end > info.n_ctx) {
    throw UserError(Exit::Refused,
                    fmt::format("expected at most {} positions (the model's n_ctx), got {}", info.n_ctx, end),
                    "shorten the prompts", "model.n_ctx");
  }
}

}  // namespace

Transformer::Transformer(Parameters parameters) : parameters_(std::move(parameters)) {
  check_supported(info());
  parameters_.check();
  rotary_ = Rotary(info(), parameters_.get(Part::Embed));
  hooks_ = HookTable(info());
  // Row 0 serves the model-level points too; an attention-only stack of no layers is not a model.
  for (Index l = 0; l < info().n_layers; ++l) {
    auto& row = ids_.emplace_back();
    for (std::size_t p = 0; p < row.size(); ++p) row[p] = hooks_.id(static_cast<Point>(p), l);
  }
}

at::Tensor Transformer::embed(const at::Tensor& ids, const Pass& pass, const Rows& rows) const {
  check_ids(ids, info());
  const Shown shown(pass.tap, ids_.front());
  const at::Tensor& table = parameters_.get(Part::Embed);
  at::Tensor embedded = at::embedding(table, ids.clamp_min(0));  // [batch, pos, D]
  // The factor in the embedding's own precision, as transformers has it.
  if (info().embed_scale != 1) embedded = embedded * at::full({}, info().embed_scale, table.options());
  embedded = shown.at(Point::Embed, std::move(embedded));
  const Index earlier = rows.cache ? rows.cache->length() : 0;
  if (!rows.positions.defined()) check_length(earlier + ids.size(1), info());
  else if (rows.positions.numel() > 0) check_length(rows.positions.max().item<Index>() + 1, info());
  if (info().positions != PositionKind::Learned) return embedded;

  const at::Tensor& rows_of_positions = parameters_.get(Part::PosEmbed);  // [n_ctx, D]
  at::Tensor positions = rows.positions.defined()                         // [batch or 1, pos, D]
                             ? at::embedding(rows_of_positions, rows.positions)
                             : rows_of_positions.narrow(0, earlier, ids.size(1)).unsqueeze(0);
  // A copy for the tap: a view of the weights is nothing to hand out.
  if (shown.wants(Point::PosEmbed))
    positions = shown.at(Point::PosEmbed, positions.expand_as(embedded).clone(at::MemoryFormat::Contiguous));
  return embedded + positions;
}

at::Tensor Transformer::residual(const at::Tensor& ids, const Pass& pass, const Rows& rows) const {
  at::Tensor resid = embed(ids, pass, rows);
  for (Index l = 0; l < info().n_layers; ++l) resid = block(l, resid, pass, rows);
  if (rows.cache) rows.cache->advance(ids.size(1));
  return resid;
}

at::Tensor Transformer::forward(const at::Tensor& ids, const Pass& pass, const Rows& rows) const {
  return unembed(final_norm(residual(ids, pass, rows), pass), pass);
}

at::Tensor Transformer::final_norm(const at::Tensor& resid, const Pass& pass) const {
  return normalize(resid, stream_norm(parameters_, Part::LnFinalGain), Shown(pass.tap, ids_.front()),
                   Point::LnFinalScale, Point::LnFinalNormalized);
}

at::Tensor Transformer::unembed(const at::Tensor& normalized, const Pass& pass) const {
  const Shown shown(pass.tap, ids_.front());
  const at::Tensor in = shown.at(Point::UnembedIn, normalized);
  at::Tensor logits = affine(in, parameters_.get(Part::Unembed).t(), parameters_.get(Part::UnembedBias));
  return shown.at(Point::UnembedOut, capped(std::move(logits)));
}

at::Tensor Transformer::token_logits(const at::Tensor& normalized, const at::Tensor& tokens) const {
  DIOPTER_CHECK(normalized.dim() == 2 && tokens.dim() == 2 && tokens.size(0) == normalized.size(0),
                "token_logits takes [row, d_model] and [row, n]");
  const at::Tensor columns = at::embedding(parameters_.get(Part::Unembed), tokens);  // [row, n, D]
  const bool low = columns.scalar_type() == at::kBFloat16 || columns.scalar_type() == at::kHalf;
  const auto wide = [low](const at::Tensor& x) { return low ? x.to(at::kFloat) : x; };
  at::Tensor logits = at::bmm(wide(columns), wide(normalized).unsqueeze(2)).squeeze(2);
  if (info().unembed_bias) logits = logits + wide(parameters_.get(Part::UnembedBias).index({tokens}));
  return capped(std::move(logits));
}

at::Tensor Transformer::capped(at::Tensor logits) const {
  const double cap = info().logit_softcap;
  return cap > 0 ? at::tanh(logits / cap) * cap : logits;
}

ScoreRule Transformer::score_rule(Index layer) const noexcept {
  const double scale = info().attention_scale;
  return {.scale = info().scale_by_inverse_layer ? scale / static_cast<double>(layer + 1) : scale,
          .softcap = info().score_softcap};
}

}  // namespace diopter::model
