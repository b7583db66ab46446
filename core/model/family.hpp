// A family is data: how the config keys and weight names of one architecture map to the canonical ones.
// Adding one: a file in families/ that makes its Family, and a line in family.cpp.
#pragma once

#include <string>
#include <vector>

#include "model/config_keys.hpp"
#include "model/parameters.hpp"

namespace diopter::model {

// How the file holds a tensor, against the slot.
enum class Stored {
  AsIs,
  Transposed,    // nn.Linear's [out, in]; the slot is a view
  GainMinusOne,  // the gain is 1 + what is stored, in float32
  HeadsApart,    // the slot's first axis (head d_head) as two: [head, d_head, ...]; a view
  ByHead,        // [head, d_model, d_head] for [d_model, (head d_head)]; a copy
  Zero,          // stored, and refused unless it is zero throughout
  AbsentOnes,    // not stored; ones
  AbsentZeros    // not stored; zeros
};

struct StoredName {
  std::string name;  // in the checkpoint, without the prefix: "h.0.attn.c_attn.weight"; not read when absent
  Slot slot;
  Stored how = Stored::AsIs;
};

struct Family {
  std::string model_type;  // config.json's key; ModelInfo::family
  ModelInfo (*read_config)(ConfigKeys& keys);
  base::Json (*write_config)(const ModelInfo& info);               // UserError(Refused) for what it cannot express
  std::vector<StoredName> (*stored_names)(const ModelInfo& info);  // one per slot, in slots() order
  std::string base_prefix;  // "transformer.": tensors may be stored with or without it
  std::string head_name;    // "lm_head.weight": never prefixed; may be stored although tied, if equal to the embedding
  std::string other_head_name;       // of other versions of the library, or ""
  std::vector<std::string> buffers;  // globs over unprefixed names; not weights, ignored
  // Another name of the same tensor -> that of stored_names; none: there are no others.
  std::string (*rename)(const std::string& name, const ModelInfo& info) = nullptr;
};

const std::vector<const Family*>& families();
// UserError(Refused) with the nearest name and what is missing.
const Family& find_family(const std::string& model_type, const std::string& where);

}  // namespace diopter::model
