// A family is data: how the config keys and weight names of one architecture map to the canonical ones.
// Adding one: a file in families/ that makes its Family, and a line in family.cpp.
#pragma once

#include <string>
#include <vector>

#include "model/config_keys.hpp"
#include "model/parameters.hpp"

namespace diopter::model {

struct StoredName {
  std::string name;  // in the checkpoint, without the prefix: "h.0.attn.c_attn.weight"
  Slot slot;         // holds it as it is stored
};

struct Family {
  std::string model_type;  // config.json's key; ModelInfo::family
  ModelInfo (*read_config)(ConfigKeys& keys);
  base::Json (*write_config)(const ModelInfo& info);               // UserError(Refused) for what it cannot express
  std::vector<StoredName> (*stored_names)(const ModelInfo& info);  // one per slot, in slots() order
  std::string base_prefix;  // "transformer.": tensors may be stored with or without it
  std::string head_name;    // "lm_head.weight": never prefixed; may be stored although tied, if equal to the embedding
  std::vector<std::string> buffers;  // globs over unprefixed names; not weights, ignored
};

const std::vector<const Family*>& families();
// UserError(Refused) with the nearest name and what is missing.
const Family& find_family(const std::string& model_type, const std::string& where);

}  // namespace diopter::model
