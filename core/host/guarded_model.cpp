#include "host/guarded_model.hpp"

#include "base/hints.hpp"

namespace diopter::host {

ModelBackend& GuardedModel::inner() const {
  monitor_.check_thread("Context::model");
  monitor_.check_stop();
  return engine_.model();
}

void GuardedModel::require(std::uint32_t need, const char* name, const char* what) const {
  if (monitor_.kind().needs(need)) return;
  monitor_.refuse("undeclared_need", "kind " + base::quoted(monitor_.kind().name()) + " asked for " + what +
                                         " without saying so in its table; add needs(Need::" + name + ").");
}

Direction GuardedModel::logit_direction(const Tensor& answer, const Tensor& foil) const {
  require(DIOPTER_NEEDS_WEIGHTS, "Weights", "a logit direction");
  return inner().logit_direction(answer, foil);
}

Tensor GuardedModel::weight(Text role, Index layer) const {
  require(DIOPTER_NEEDS_WEIGHTS, "Weights", "weights");
  return inner().weight(role, layer);
}

const TokenCodec* GuardedModel::codec() const {
  require(DIOPTER_NEEDS_TOKENIZER, "Tokenizer", "the tokenizer");
  return inner().codec();
}

}  // namespace diopter::host
