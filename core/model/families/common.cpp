#include "model/families/common.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/hints.hpp"

namespace diopter::model {
namespace {

struct ActivationName {
  const char* name;
  Activation activation;
};

// The first name of an activation is the one that is written. gelu_fast is the same formula (1e-12).
constexpr ActivationName kActivations[] = {
    {"gelu_new", Activation::GeluNew},  {"gelu_pytorch_tanh", Activation::GeluNew},
    {"gelu_fast", Activation::GeluNew}, {"gelu", Activation::Gelu},
    {"gelu_python", Activation::Gelu},  {"quick_gelu", Activation::QuickGelu},
    {"silu", Activation::Silu},         {"swish", Activation::Silu},
    {"relu", Activation::Relu},         {"solu", Activation::Solu},
};

// rope_type of rope_parameters or rope_scaling, with the numbers that it needs.
Rope read_scaling(ConfigKeys& keys, Rope rope) {
  // "type" is the older name.
  const std::string type = keys.word("rope_type", keys.word("type", "default").c_str());
  if (type == "linear") {
    rope.kind = RopeKind::Linear;
    rope.factor = keys.positive("factor", 1);
  } else if (type == "llama3") {
    rope.kind = RopeKind::Llama3;
    rope.factor = keys.positive("factor", 8);
    rope.low_freq_factor = keys.positive("low_freq_factor", 1);
    rope.high_freq_factor = keys.positive("high_freq_factor", 4);
    rope.original_n_ctx = keys.size("original_max_position_embeddings");
    if (rope.high_freq_factor <= rope.low_freq_factor)
      keys.refuse("high_freq_factor", fmt::format("a number above low_freq_factor = {}", rope.low_freq_factor));
  } else if (type != "default") {
    keys.refuse(keys.has("rope_type") ? "rope_type" : "type", "'default', 'linear' or 'llama3'");
  }
  return rope;
}

bool same(const Rope& a, const Rope& b) {
  return a.kind == b.kind && a.theta == b.theta && a.factor == b.factor && a.low_freq_factor == b.low_freq_factor &&
         a.high_freq_factor == b.high_freq_factor && a.original_n_ctx == b.original_n_ctx;
}

}  // namespace

void declare_general_keys(ConfigKeys& keys) {
  keys.harmless({"model_type",
                 "architectures",
                 "_name_or_path",
                 "name_or_path",
                 "transformers_version",
                 "torch_dtype",
                 "dtype",
                 "initializer_range",
                 "use_cache",
                 "bos_token_id",
                 "eos_token_id",
                 "pad_token_id",
                 "sep_token_id",
                 "decoder_start_token_id",
                 "task_specific_params",
                 "id2label",
                 "label2id",
                 "num_labels",
                 "problem_type",
                 "finetuning_task",
                 "return_dict",
                 "return_dict_in_generate",
                 "output_past",
                 "output_attentions",
                 "output_hidden_states",
                 "gradient_checkpointing",
                 "tokenizer_class",
                 "prefix",
                 "torchscript",
                 "chunk_size_feed_forward",
                 "attn_implementation",
                 "_attn_implementation_autoset",
                 "suppress_tokens",
                 "begin_suppress_tokens",
                 "forced_bos_token_id",
                 "forced_eos_token_id",
                 "bad_words_ids",
                 "do_sample",
                 "early_stopping",
                 "max_length",
                 "min_length",
                 "num_beams",
                 "num_beam_groups",
                 "num_return_sequences",
                 "temperature",
                 "top_k",
                 "top_p",
                 "typical_p",
                 "repetition_penalty",
                 "length_penalty",
                 "diversity_penalty",
                 "no_repeat_ngram_size",
                 "encoder_no_repeat_ngram_size",
                 "output_scores",
                 "remove_invalid_values",
                 "exponential_decay_length_penalty"});
}

Activation read_activation(ConfigKeys& keys, const char* key, const char* fallback) {
  const std::string word = keys.word(key, fallback);
  std::vector<std::string> names;
  for (const ActivationName& a : kActivations) {
    if (word == a.name) return a.activation;
    names.emplace_back(a.name);
  }
  keys.refuse(key, "one of " + base::join(names, "or"));
}

const char* activation_name(Activation activation) {
  for (const ActivationName& a : kActivations) {
    if (a.activation == activation) return a.name;
  }
  return "";
}

void read_rope(ConfigKeys& keys, ModelInfo& info, const RopeKeys& names) {
  info.positions = PositionKind::Rotary;
  Rope old{.theta = keys.positive(names.theta, names.usual_theta)};
  double share = keys.positive(names.share, names.usual_share);
  const bool has_old = keys.has(names.theta) || keys.has("rope_scaling");
  if (auto scaling = keys.part("rope_scaling")) {
    old = read_scaling(*scaling, old);
    scaling->finish();
  }
  info.rope = old;
  if (auto parameters = keys.part("rope_parameters")) {
    info.rope = read_scaling(*parameters, {.theta = parameters->positive("rope_theta", names.usual_theta)});
    const double own_share = parameters->positive("partial_rotary_factor", share);
    if (keys.has(names.share) && own_share != share)
      parameters->refuse("partial_rotary_factor", fmt::format("the value of {}, {},", names.share, share));
    share = own_share;
    parameters->finish();
    if (has_old && !same(info.rope, old))
      keys.refuse("rope_parameters", fmt::format("what {} and rope_scaling say as well", names.theta));
  }
  info.rotary_dims = static_cast<Index>(static_cast<double>(info.d_head) * share);
}

base::Json rope_json(const ModelInfo& info) {
  base::Json out = {{"rope_theta", info.rope.theta}, {"rope_type", "default"}};
  if (info.rope.kind == RopeKind::Plain) return out;
  out["factor"] = info.rope.factor;
  out["rope_type"] = info.rope.kind == RopeKind::Linear ? "linear" : "llama3";
  if (info.rope.kind == RopeKind::Linear) return out;
  out["low_freq_factor"] = info.rope.low_freq_factor;
  out["high_freq_factor"] = info.rope.high_freq_factor;
  out["original_max_position_embeddings"] = info.rope.original_n_ctx;
  return out;
}

}  // namespace diopter::model
