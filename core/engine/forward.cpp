#include "engine/forward.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <diopter/error.hpp>

#include "engine/operations.hpp"

namespace diopter::engine {
namespace {

at::Tensor gathered(const at::Tensor& value, const Points& points) { return value.index({points.row, points.pos}); }

// With inputs of their own, heads also have norms of their own: what happens to the shared one reaches nobody.
void check_norm_edits(const HookBus& bus, const HookTable& hooks) {
  static constexpr Point kShared[] = {Point::Ln1Scale, Point::Ln1Normalized};
  const BoundEdit* edit = bus.edit_of(kShared);
  if (edit == nullptr) return;
  throw Error(
      fmt::format("edit {} at '{}' would change nothing, because attn_in, q_input, k_input or v_input is read or "
                  "edited in the same "
                  "run, and each head then normalises an input of its own; edit q, k and v instead, or make two runs.",
                  edit->number, hooks[edit->id].name));
}

}  // namespace

void ForwardPath::use(Point point) {
  switch (point) {
    case Point::AttnIn:
    case Point::QInput:
    case Point::KInput:
    case Point::VInput: kernels.split_inputs = true; break;
    case Point::Result: kernels.per_head_result = true; break;
    case Point::UnembedIn:
    case Point::UnembedOut: all_logits = true; [[fallthrough]];
    case Point::LnFinalScale:
    case Point::LnFinalNormalized: all_normalized = true; break;
    default: break;
  }
}

at::Tensor ForwardResult::normalized_at(const Points& points) const {
  return normalized_.defined() ? gathered(normalized_, points) : model_->final_norm(gathered(resid_, points));
}

void ForwardResult::count(Index rows, Index columns) const {
  if (operations_ != nullptr) *operations_ += product_operations(rows, model_->info().d_model, columns);
}

at::Tensor ForwardResult::logits(const Points& points) const {
  if (logits_.defined()) return gathered(logits_, points);
  count(points.size(), vocabulary());
  return model_->unembed(normalized_at(points));
}

at::Tensor ForwardResult::token_logits(const Points& points, const at::Tensor& tokens) const {
  if (logits_.defined()) return gathered(logits_, points).gather(1, tokens);
  count(points.size(), tokens.size(1));
  return model_->token_logits(normalized_at(points), tokens);
}

at::Tensor ForwardResult::every_logit() const {
  if (logits_.defined()) return logits_;
  count(resid_.size(0) * resid_.size(1), vocabulary());
  return model_->unembed(normalized_.defined() ? normalized_ : model_->final_norm(resid_));
}

ForwardResult forward(const model::Transformer& model, const RowBatch& batch, HookBus* bus, const ForwardPath& path,
                      const model::Rows& rows) {
  if (bus && path.kernels.split_inputs) check_norm_edits(*bus, model.hooks());
  const model::Pass pass{.tap = bus, .path = path.kernels};
  const at::Tensor ids = batch.ids.to(model.parameters().get(model::Part::Embed).device());
  at::Tensor resid = model.residual(ids, pass, rows);
  at::Tensor normalized, logits;
  if (path.all_normalized) normalized = model.final_norm(resid, pass);
  if (path.all_logits) logits = model.unembed(normalized, pass);
  return {model, std::move(resid), std::move(normalized), std::move(logits)};
}

}  // namespace diopter::engine
