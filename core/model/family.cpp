#include "model/family.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "model/families/families.hpp"

namespace diopter::model {

const std::vector<const Family*>& families() {
  static const std::vector<const Family*> all{
      &gpt2_family(),  &gpt_neox_family(), &llama_family(),   &mistral_family(), &qwen2_family(),
      &qwen3_family(), &gemma2_family(),   &nanogpt_family(), &mingpt_family(),  &hooked_transformer_family()};
  return all;
}

const Family& find_family(const std::string& model_type, const std::string& where) {
  std::vector<std::string> names;
  for (const Family* family : families()) {
    if (family->model_type == model_type) return *family;
    names.push_back(family->model_type);
  }
  throw base::UserError(
      base::Exit::Refused,
      fmt::format("{}: expected a model family diopter has, got model_type {}{}", where,
                  base::quoted(base::printable(model_type)), base::did_you_mean(model_type, names)),
      "missing for it: the mapping of its config keys and weight names (one file in core/model/families)",
      "model.family");
}

}  // namespace diopter::model
