#include "exec/look_model.hpp"

#include "base/error.hpp"
#include "exec/prompt_tokens.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"

namespace diopter::exec {

LookedAt look_at(const std::string& model, const std::string& text, const std::string& bos) {
  LookedAt out{.facts = read_facts(find_model(model)), .ids = {}};
  const ModelFacts& facts = *out.facts;
  if (!facts.codec) {
    throw base::UserError(base::Exit::Refused, facts.folder.path().string() +
                                                   " has no tokenizer beside it; a text cannot be read without it");
  }
  out.ids =
      prompt_ids(text, {.tokenizer = facts.codec->tokenizer(), .codec = facts.codec, .model = facts.info, .bos = bos});
  if (out.ids.empty() || std::ssize(out.ids) > facts.info.n_ctx) {
    throw base::UserError(base::Exit::Usage, "the text is " + std::to_string(out.ids.size()) + " tokens; " +
                                                 facts.info.name + " takes 1 to " + std::to_string(facts.info.n_ctx));
  }
  return out;
}

std::shared_ptr<const model::Transformer> loaded(const LookedAt& look, const std::string& dtype) {
  return std::make_shared<const model::Transformer>(
      model::load(look.facts->folder.path(), model::dtype_named(dtype)).parameters);
}

}  // namespace diopter::exec
