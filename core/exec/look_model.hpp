// A model and one text, as verbs outside of studies look at them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/model_facts.hpp"
#include "model/transformer.hpp"

namespace diopter::exec {

struct LookedAt {
  std::shared_ptr<const ModelFacts> facts;  // with a codec
  std::vector<Index> ids;                   // of the text, 1 to n_ctx
};

// Without weights. UserError for a model that is not there or has no tokenizer, and for a text it cannot take.
LookedAt look_at(const std::string& model, const std::string& text, const std::string& bos);
// dtype: float32, bfloat16, float16
std::shared_ptr<const model::Transformer> loaded(const LookedAt& look, const std::string& dtype);

}  // namespace diopter::exec
