#include "engine/model_view.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "engine/readout.hpp"

namespace diopter::engine {
namespace {

// Columns of W_U for these tokens -> [prompt, d_model]
Tensor columns(const Tensor& unembed, const Tensor& tokens, Index vocabulary) {
  if (tokens.scalar_type() != at::kLong || tokens.dim() != 1)
    throw Error("logit_direction takes token ids, int64 [prompt]");
  if (tokens.numel() > 0 && (tokens.min().item<Index>() < 0 || tokens.max().item<Index>() >= vocabulary)) {
    throw Error(fmt::format("logit_direction got a token outside 0..{}", vocabulary - 1));
  }
  return unembed.index_select(1, tokens.to(unembed.device())).t();
}

}  // namespace

Tensor ModelView::unembed(const Tensor& resid) const { return model_.unembed(model_.final_norm(resid)); }

Readout ModelView::read(const Tensor& resid, const Read& what) const { return read_out(model_, resid, what); }

Direction ModelView::logit_direction(const Tensor& answer, const Tensor& foil) const {
  const Tensor unembed = weight("W_U", kUnset), unembed_bias = weight("b_U", kUnset);
  const Tensor gain = weight("ln_final_w", kUnset), bias = weight("ln_final_b", kUnset);
  Tensor difference = columns(unembed, answer, info().d_vocab);
  if (foil.defined()) difference = difference - columns(unembed, foil, info().d_vocab);
  Direction out{.u = gain.defined() ? difference * gain : difference,
                .bias = at::zeros({difference.size(0)}, difference.options())};
  if (bias.defined()) out.bias = difference.mv(bias);
  if (unembed_bias.defined()) {
    out.bias = out.bias + unembed_bias.index_select(0, answer);
    if (foil.defined()) out.bias = out.bias - unembed_bias.index_select(0, foil);
  }
  // LayerNorm subtracts the mean of the stream; (c - mean c) . u = c . (u - mean u).
  if (info().norm == NormKind::LayerNorm) out.u = out.u - out.u.mean(-1, true);
  return out;
}

Tensor ModelView::weight(Text role, Index layer) const {
  try {
    return model_.parameters().canonical(role, layer);
  } catch (const base::UserError& error) {
    throw Error(error.what());
  }
}

}  // namespace diopter::engine
