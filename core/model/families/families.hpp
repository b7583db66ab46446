// The families diopter has; one file each.
#pragma once

#include "model/family.hpp"

namespace diopter::model {

const Family& gpt2_family();
const Family& gpt_neox_family();
const Family& llama_family();
const Family& mistral_family();
const Family& qwen2_family();
const Family& qwen3_family();
const Family& gemma2_family();
const Family& nanogpt_family();
const Family& mingpt_family();
const Family& hooked_transformer_family();

}  // namespace diopter::model
