// Changes of the weights that leave the function alone but move parts of it, as TransformerLens applies them when it
// loads a model. Never applied unasked. Formulas: TransformerLens 2.x, HookedTransformer.process_weights_.
//
//   fold_ln                 gains and biases of ln1, ln2 and ln_final go into what reads from them; under LayerNorm the
//                           readers are then centred over d_model. The norms keep gains of 1 and biases of 0.
//   center_writing_weights  what writes into the stream loses its mean over d_model. LayerNorm only.
//   center_unembed          W_U and b_U lose their mean over the vocabulary: logits lose theirs. Not with a soft cap.
//   fold_value_biases       b_V goes through W_O into b_O, since each row of a pattern sums to 1.
#pragma once

#include <string>
#include <vector>

#include "model/parameters.hpp"

namespace diopter::model {

// What keeps a model of this configuration from taking them: UserError(Refused) naming the transform; also for an
// unknown name.
void check_transforms(const ModelInfo& info, const std::vector<std::string>& names);

// Copies of what changes, in float32 or wider whatever the order of `names`: always fold_ln, center_writing_weights,
// center_unembed, fold_value_biases. info() of the result may have an unembedding of its own and more biases.
Parameters transformed(const Parameters& parameters, const std::vector<std::string>& names);

}  // namespace diopter::model
