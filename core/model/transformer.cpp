#include "model/transformer.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "model/config.hpp"
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
  at::Tensor embedded = at::embedding(parameters_.get(Part::Embed), ids.clamp_min(0));  // [batch, pos, D]
  embedded = shown.at(Point::Embed, std::move(embedded));
  if (info().positions != PositionKind::Learned) return embedded;

  const at::Tensor& table = parameters_.get(Part::PosEmbed);  // [n_ctx, D]
  at::Tensor positions;                                       // [batch or 1, pos, D]
  if (rows.positions.defined()) {
    if (rows.positions.numel() > 0) check_length(rows.positions.max().item<Index>() + 1, info());
    positions = at::embedding(table, rows.positions);
  } else {
    const Index earlier = rows.cache ? rows.cache->length() : 0;
    check_length(earlier + ids.size(1), info());
    positions = table.narrow(0, earlier, ids.size(1)).unsqueeze(0);
  }
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
  const Norm norm{parameters_.get(Part::LnFinalGain), parameters_.get(Part::LnFinalBias), info().norm_eps};
  return layer_norm(resid, norm, Shown(pass.tap, ids_.front()), Point::LnFinalScale, Point::LnFinalNormalized);
}

at::Tensor Transformer::unembed(const at::Tensor& normalized, const Pass& pass) const {
  const Shown shown(pass.tap, ids_.front());
  const at::Tensor in = shown.at(Point::UnembedIn, normalized);
  return shown.at(Point::UnembedOut, at::linear(in, parameters_.get(Part::Unembed)));
}

at::Tensor Transformer::token_logits(const at::Tensor& normalized, const at::Tensor& tokens) const {
  DIOPTER_CHECK(normalized.dim() == 2 && tokens.dim() == 2 && tokens.size(0) == normalized.size(0),
                "token_logits takes [row, d_model] and [row, n]");
  const at::Tensor columns = at::embedding(parameters_.get(Part::Unembed), tokens);  // [row, n, D]
  return at::bmm(columns, normalized.unsqueeze(2)).squeeze(2);
}

double Transformer::score_scale(Index layer) const noexcept {
  return info().scale_by_inverse_layer ? info().attention_scale / static_cast<double>(layer + 1)
                                       : info().attention_scale;
}

}  // namespace diopter::model
