// The .bin files of llama2.c: a header of sizes, then the weights of a Llama as float32, one after the other. Source:
// legacy_export and version1_export of its export.py.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"
#include "weights/tensor_view.hpp"

namespace diopter::weights {

struct Llama2cFile {
  // Under the names of transformers' LlamaForCausalLM ("model.layers.0.self_attn.q_proj.weight") and with its rotary
  // order: llama2.c turns neighbours of a head, transformers entry i with i + d_head / 2, so that the rows of q_proj
  // and k_proj are copies in another order. The others are views of the file.
  std::map<std::string, TensorView> tensors;
  base::Json
      config;  // as transformers' config.json; what the header does not say is llama2.c's own: eps 1e-5, theta 10000
};

// Whether it begins as version 1 and 2 do, or with seven sizes that a model could have (version 0).
bool is_llama2c_file(std::string_view bytes);

// `bytes` lives while `owner` does. UserError(Refused, id "weights.llama2c"): sizes that contradict each other or the
// size of the file, another version (2 is int8).
Llama2cFile read_llama2c_file(std::string_view bytes, const std::shared_ptr<const void>& owner,
                              const std::string& name);

}  // namespace diopter::weights
