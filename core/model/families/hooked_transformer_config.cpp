#include "model/families/hooked_transformer_config.hpp"

#include <fmt/format.h>

#include <cmath>

#include "model/families/common.hpp"

namespace diopter::model {
namespace {

void declare_lens_harmless(ConfigKeys& keys) {
  declare_general_keys(keys);
  // Hooks, devices, initial values and tokenizers of TransformerLens.
  keys.harmless({"model_name",
                 "original_architecture",
                 "from_checkpoint",
                 "checkpoint_index",
                 "checkpoint_label_type",
                 "checkpoint_value",
                 "tokenizer_name",
                 "use_attn_result",
                 "use_split_qkv_input",
                 "use_hook_mlp_in",
                 "use_attn_in",
                 "use_hook_tokens",
                 "ungroup_grouped_query_attention",
                 "init_mode",
                 "init_weights",
                 "device",
                 "n_devices",
                 "seed",
                 "n_params",
                 "dtype",
                 "tokenizer_prepends_bos",
                 "trust_remote_code",
                 "relative_attention_max_distance",
                 "relative_attention_num_buckets"});
  // Of a training run.
  keys.harmless({"lr",
                 "lr_hidden",
                 "lr_vector",
                 "lr_schedule",
                 "batch_size",
                 "batch_size_per_device",
                 "batches_per_step",
                 "tokens_per_step",
                 "max_tokens",
                 "max_steps",
                 "max_grad_norm",
                 "n_epochs",
                 "epochs",
                 "warmup_tokens",
                 "weight_decay",
                 "beta1",
                 "beta2",
                 "adam_beta1",
                 "adam_beta2",
                 "train_loss_ewma_beta",
                 "dataset_name",
                 "data_seed",
                 "initializer_scale",
                 "initializer_scale_global",
                 "initializer_scale_hidden",
                 "initializer_scale_embed",
                 "initializer_scale_unembed",
                 "version",
                 "next_version",
                 "debug",
                 "debug_batch",
                 "debug_overfit",
                 "save_checkpoints_to_bfloat16",
                 "use_bfloat16",
                 "use_float16",
                 "use_bfloat16_matmul",
                 "right_multiply_matrices",
                 "checkpoint_every_tokens",
                 "log_interval",
                 "truncate_tokens",
                 "control",
                 "wandb_project",
                 "apply_anthropic_hyper_params",
                 "neuron_scale",
                 "neuron_temp",
                 "use_acc",
                 "weight_init_scale",
                 "unembedding_scale"});
}

// Words that stand for what diopter has no way to compute.
void must_be(ConfigKeys& keys, const char* key, const char* only) {
  if (keys.word(key, only) != only) keys.refuse(key, fmt::format("'{}'", only));
}

void read_lens_norm(ConfigKeys& keys, ModelInfo& info) {
  // Absent is TransformerLens' default, null is none.
  const bool usual_key = keys.has("normalization_type") || keys.is_null("normalization_type");
  const char* key = usual_key ? "normalization_type" : "normalization";
  const std::string type = keys.word(key, keys.is_null(key) ? "" : "LN");
  if (type == "LN" || type == "LNPre") info.norm = NormKind::LayerNorm;
  else if (type == "RMS" || type == "RMSPre") info.norm = NormKind::RmsNorm;
  else if (type.empty()) info.norm = NormKind::None;
  else keys.refuse(key, "'LN', 'LNPre', 'RMS', 'RMSPre' or null");
  info.norm_gain = type == "LN" || type == "RMS";
  info.norm_bias = type == "LN";
  // A last norm of another kind than the others.
  if (keys.flag("final_rms", false) && info.norm == NormKind::LayerNorm)
    keys.refuse("final_rms", "false with this norm");
  info.post_norms = keys.flag("use_normalization_before_and_after", false);
  if (info.post_norms && info.norm != NormKind::RmsNorm)
    keys.refuse("use_normalization_before_and_after", "false with this norm");
}

void read_lens_positions(ConfigKeys& keys, ModelInfo& info) {
  if (keys.flag("shortformer_pos", false)) keys.refuse("shortformer_pos", "false");
  const std::string type = keys.word("positional_embedding_type", "standard");
  if (type != "standard" && type != "rotary") keys.refuse("positional_embedding_type", "'standard' or 'rotary'");
  const bool rotary = type == "rotary";
  info.positions = rotary ? PositionKind::Rotary : PositionKind::Learned;
  const Index rotary_dims = keys.size("rotary_dim", info.d_head);
  const double theta = keys.positive("rotary_base", 10000);
  if (keys.has("rotary_base_local")) keys.refuse("rotary_base_local", "null");
  if (rotary) keys.must_be_false({"rotary_adjacent_pairs"});
  keys.harmless({"rotary_adjacent_pairs"});
  const bool by_parts = keys.flag("use_NTK_by_parts_rope", false);
  const Rope scaled{.kind = RopeKind::Llama3,
                    .theta = theta,
                    .factor = keys.positive("NTK_by_parts_factor", 8),
                    .low_freq_factor = keys.positive("NTK_by_parts_low_freq_factor", 1),
                    .high_freq_factor = keys.positive("NTK_by_parts_high_freq_factor", 4),
                    .original_n_ctx = keys.size("NTK_original_ctx_len", 8192)};
  if (!rotary) return;
  info.rotary_dims = rotary_dims;
  info.rope = by_parts ? scaled : Rope{.theta = theta};
}

// TransformerLens divides scores by attn_scale; -1 stands for the usual one.
double lens_scale(ConfigKeys& keys, const ModelInfo& info) {
  const double usual = std::sqrt(static_cast<double>(info.d_head));
  const double divisor = keys.number("attn_scale", -1);
  if (!keys.flag("use_attn_scale", true)) return 1;
  if (divisor != -1 && !(divisor > 0)) keys.refuse("attn_scale", "a number above 0, or -1");
  return 1 / (divisor == -1 ? usual : divisor);
}

double lens_cap(ConfigKeys& keys, const char* key) {
  const double cap = keys.number(key, -1);
  return cap > 0 ? cap : 0;
}

void read_lens_windows(ConfigKeys& keys, ModelInfo& info) {
  const std::vector<std::string> types = keys.words("attn_types");
  const Index window = keys.size("window_size", 1);
  if (!keys.flag("use_local_attn", false)) return;
  if (!keys.has("window_size")) keys.refuse("window_size", "a whole number of at least 1");
  if (std::ssize(types) != info.n_layers)
    keys.refuse("attn_types", fmt::format("one word for each of {} layers", info.n_layers));
  for (const std::string& type : types) {
    if (type != "local" && type != "global") keys.refuse("attn_types", "'local' or 'global'");
    info.windows.push_back(type == "local" ? window : 0);
  }
}

}  // namespace

ModelInfo read_hooked_transformer(ConfigKeys& keys) {
  declare_lens_harmless(keys);
  ModelInfo info;
  info.family = "hooked_transformer";
  info.n_layers = keys.size("n_layers");
  info.d_model = keys.size("d_model");
  info.d_head = keys.size("d_head");
  const bool counted = keys.number("n_heads", -1) == -1;
  info.n_heads = counted ? info.d_model / info.d_head : keys.size("n_heads");
  if (info.n_heads < 1) keys.refuse("d_head", fmt::format("at most d_model = {}", info.d_model));
  info.n_kv_heads = keys.size("n_key_value_heads", info.n_heads);
  if (info.n_heads % info.n_kv_heads != 0)
    keys.refuse("n_key_value_heads", fmt::format("a divisor of n_heads = {}", info.n_heads));
  info.n_ctx = keys.size("n_ctx");
  info.d_vocab = keys.size("d_vocab");
  if (const double out = keys.number("d_vocab_out", -1); out != -1 && out != static_cast<double>(info.d_vocab))
    keys.refuse("d_vocab_out", fmt::format("the value of d_vocab, {},", info.d_vocab));
  info.attention_only = keys.flag("attn_only", false);
  if (info.attention_only) keys.harmless({"d_mlp", "act_fn", "gated_mlp"});
  else {
    info.d_mlp = keys.size("d_mlp", 4 * info.d_model);
    if (keys.word("act_fn", "").ends_with("_ln")) keys.refuse("act_fn", "an activation without a norm after it");
    info.activation = read_activation(keys, "act_fn", "");
    info.gated_mlp = keys.flag("gated_mlp", false);
  }
  info.norm_eps = keys.positive("eps", 1e-5);
  read_lens_norm(keys, info);
  read_lens_positions(keys, info);
  info.attention_scale = lens_scale(keys, info);
  info.scale_by_inverse_layer = keys.flag("scale_attn_by_inverse_layer_idx", false);
  info.parallel_block = keys.flag("parallel_attn_mlp", false);
  info.query_key_norm = keys.flag("use_qk_norm", false);
  info.score_softcap = lens_cap(keys, "attn_scores_soft_cap");
  info.logit_softcap = lens_cap(keys, "output_logits_soft_cap");
  read_lens_windows(keys, info);
  info.tied_embeddings = false;  // W_E and W_U are two tensors, whatever tie_word_embeddings says
  keys.harmless({"tie_word_embeddings"});
  info.qkv_bias = info.out_bias = info.mlp_bias = info.unembed_bias = true;
  info.qkv = QkvLayout::Separate;
  info.bos = keys.flag("default_prepend_bos", true) ? BosPolicy::Prepend : BosPolicy::None;
  must_be(keys, "attention_dir", "causal");
  must_be(keys, "architecture", "neel");  // its author's other layouts have other names of tensors
  keys.must_be_false({"post_embedding_ln", "load_in_4bit"});
  if (keys.has("num_experts")) keys.refuse("num_experts", "null");
  keys.harmless({"num_experts", "experts_per_token"});
  keys.finish();
  return info;
}

namespace {

std::string lens_norm_type(const ModelInfo& info) {
  const std::string kind = info.norm == NormKind::LayerNorm ? "LN" : "RMS";
  return info.norm_gain ? kind : kind + "Pre";
}

void write_lens_rope(const ModelInfo& info, base::Json& out) {
  out["rotary_dim"] = info.rotary_dims;
  out["rotary_base"] = info.rope.theta;
  out["rotary_adjacent_pairs"] = false;
  if (info.rope.kind != RopeKind::Llama3) return;
  out["use_NTK_by_parts_rope"] = true;
  out["NTK_by_parts_factor"] = info.rope.factor;
  out["NTK_by_parts_low_freq_factor"] = info.rope.low_freq_factor;
  out["NTK_by_parts_high_freq_factor"] = info.rope.high_freq_factor;
  out["NTK_original_ctx_len"] = info.rope.original_n_ctx;
}

}  // namespace

base::Json write_hooked_transformer(const ModelInfo& info) {
  base::Json out{{"model_type", "hooked_transformer"},
                 {"n_layers", info.n_layers},
                 {"d_model", info.d_model},
                 {"d_head", info.d_head},
                 {"n_heads", info.n_heads},
                 {"n_ctx", info.n_ctx},
                 {"d_vocab", info.d_vocab},
                 {"attn_only", info.attention_only},
                 {"eps", info.norm_eps},
                 {"use_attn_scale", true},
                 {"attn_scale", 1 / info.attention_scale},
                 {"scale_attn_by_inverse_layer_idx", info.scale_by_inverse_layer},
                 {"parallel_attn_mlp", info.parallel_block},
                 {"use_qk_norm", info.query_key_norm},
                 {"use_normalization_before_and_after", info.post_norms},
                 {"attn_scores_soft_cap", info.score_softcap > 0 ? info.score_softcap : -1},
                 {"output_logits_soft_cap", info.logit_softcap > 0 ? info.logit_softcap : -1},
                 {"default_prepend_bos", info.bos == BosPolicy::Prepend},
                 {"positional_embedding_type", info.positions == PositionKind::Rotary ? "rotary" : "standard"}};
  out["normalization_type"] = info.norm == NormKind::None ? base::Json() : base::Json(lens_norm_type(info));
  if (info.n_kv_heads != info.n_heads) out["n_key_value_heads"] = info.n_kv_heads;
  if (info.positions == PositionKind::Rotary) write_lens_rope(info, out);
  if (!info.attention_only) {
    out["d_mlp"] = info.d_mlp;
    out["act_fn"] = activation_name(info.activation);
    out["gated_mlp"] = info.gated_mlp;
  }
  if (info.windows.empty()) return out;
  out["use_local_attn"] = true;
  for (Index layer = 0; layer < info.n_layers; ++layer) {
    out["attn_types"].push_back(info.window(layer) > 0 ? "local" : "global");
    if (info.window(layer) > 0) out["window_size"] = info.window(layer);
  }
  return out;
}

}  // namespace diopter::model
