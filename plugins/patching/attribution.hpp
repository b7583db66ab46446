// Direct attribution of neurons: what replacing each one alone would add to the logit difference by the direct path
// (its row of W_out, the residual stream, the frozen final norm, the unembedding) with everything else as it is.
//
// For a prompt whose metric is read at position a, with m = blocks.L.mlp.hook_post and every scale that of the base
// run:
//
//   attribution(L, n) = (m'[a, n] - m[a, n]) * W_out[L][n] . u / ln_final.hook_scale[a]
//
// m' is what replaces m there, u = Model::logit_direction(answer, foil): W_U[:, answer] - W_U[:, foil] times the final
// norm's gain, centred under LayerNorm. Where a norm stands behind the MLP (post_norms), W_out[L][n] . u becomes
// W_out[L][n] . (ln2_post_w * u) / blocks.L.ln2_post.hook_scale[a]. In a gated MLP m is the gated activation. In
// logits, before a soft cap. The mean over several positions, then over prompts.
#pragma once

#include <diopter/plugin.hpp>

#include <string>
#include <vector>

#include "sides.hpp"

namespace diopter::patching {

std::string post_hook(Index layer);  // "blocks.3.mlp.hook_post"

// double [layer, neuron] on the CPU. A few forwards of every prompt, however many neurons. A prompt whose position has
// no counterpart in its donor counts as 0. Error where an answer or a foil is a set, or several tokens: such a metric
// has no direction.
Tensor direct_attribution(Context& ctx, const Sides& sides, Text replace_by, const std::vector<Index>& layers,
                          const Positions& at);

}  // namespace diopter::patching
