#include "model/families/llama_like.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace diopter::model {
namespace {

std::string name_of(Slot slot, const LlamaNorms& norms) {
  const std::string block = fmt::format("layers.{}.", slot.layer), attention = block + "self_attn.",
                    mlp = block + "mlp.";
  switch (slot.part) {
    case Part::Embed: return "embed_tokens.weight";
    case Part::Ln1Gain: return block + "input_layernorm.weight";
    case Part::QWeight: return attention + "q_proj.weight";
    case Part::KWeight: return attention + "k_proj.weight";
    case Part::VWeight: return attention + "v_proj.weight";
    case Part::QBias: return attention + "q_proj.bias";
    case Part::KBias: return attention + "k_proj.bias";
    case Part::VBias: return attention + "v_proj.bias";
    case Part::QNormGain: return attention + "q_norm.weight";
    case Part::KNormGain: return attention + "k_norm.weight";
    case Part::OutWeight: return attention + "o_proj.weight";
    case Part::OutBias: return attention + "o_proj.bias";
    case Part::Ln1PostGain: return block + norms.after_attention + ".weight";
    case Part::Ln2Gain: return block + norms.before_mlp + ".weight";
    case Part::MlpGateWeight: return mlp + "gate_proj.weight";
    case Part::MlpGateBias: return mlp + "gate_proj.bias";
    case Part::MlpInWeight: return mlp + "up_proj.weight";
    case Part::MlpInBias: return mlp + "up_proj.bias";
    case Part::MlpOutWeight: return mlp + "down_proj.weight";
    case Part::MlpOutBias: return mlp + "down_proj.bias";
    case Part::Ln2PostGain: return block + norms.after_mlp + ".weight";
    case Part::LnFinalGain: return "norm.weight";
    case Part::Unembed: return "lm_head.weight";
    default: return {};
  }
}

// nn.Linear in the blocks; the embeddings lie as they are used.
Stored how_stored(Part part, const LlamaNorms& norms) {
  if (is_gain(part)) return norms.gain;
  switch (part) {
    case Part::QWeight:
    case Part::KWeight:
    case Part::VWeight:
    case Part::OutWeight:
    case Part::MlpGateWeight:
    case Part::MlpInWeight:
    case Part::MlpOutWeight: return Stored::Transposed;
    default: return Stored::AsIs;
  }
}

}  // namespace

ModelInfo read_llama_like(ConfigKeys& keys, const char* model_type, const char* activation_key,
                          const char* usual_activation, bool usually_tied) {
  declare_general_keys(keys);
  keys.harmless({"attention_dropout", "hidden_dropout", "pretraining_tp", "cache_implementation"});
  ModelInfo info;
  info.family = model_type;
  info.n_layers = keys.size("num_hidden_layers");
  info.n_heads = keys.size("num_attention_heads");
  info.n_kv_heads = keys.size("num_key_value_heads", info.n_heads);
  info.d_model = keys.size("hidden_size");
  if (!keys.has("head_dim") && info.d_model % info.n_heads != 0)
    keys.refuse("hidden_size", fmt::format("a multiple of num_attention_heads = {}", info.n_heads));
  info.d_head = keys.size("head_dim", info.d_model / info.n_heads);
  if (info.n_heads % info.n_kv_heads != 0)
    keys.refuse("num_key_value_heads", fmt::format("a divisor of num_attention_heads = {}", info.n_heads));
  info.d_mlp = keys.size("intermediate_size");
  info.n_ctx = keys.size("max_position_embeddings");
  info.d_vocab = keys.size("vocab_size");
  info.norm = NormKind::RmsNorm;
  info.norm_eps = keys.positive("rms_norm_eps", 1e-6);
  info.activation = read_activation(keys, activation_key, usual_activation);
  info.attention_scale = 1.0 / std::sqrt(static_cast<double>(info.d_head));
  info.gated_mlp = true;
  info.tied_embeddings = keys.flag("tie_word_embeddings", usually_tied);
  info.norm_bias = info.qkv_bias = info.out_bias = info.mlp_bias = false;
  info.qkv = QkvLayout::Separate;
  keys.must_be_false({"is_encoder_decoder", "add_cross_attention", "use_bfloat16"});
  read_rope(keys, info, {});
  return info;
}

base::Json llama_like_json(const ModelInfo& info, const char* architecture, const char* activation_key) {
  return {{"architectures", {architecture}},
          {"model_type", info.family},
          {"num_hidden_layers", info.n_layers},
          {"num_attention_heads", info.n_heads},
          {"num_key_value_heads", info.n_kv_heads},
          {"hidden_size", info.d_model},
          {"head_dim", info.d_head},
          {"intermediate_size", info.d_mlp},
          {"max_position_embeddings", info.n_ctx},
          {"vocab_size", info.d_vocab},
          {"rms_norm_eps", info.norm_eps},
          {activation_key, activation_name(info.activation)},
          {"tie_word_embeddings", info.tied_embeddings},
          {"rope_parameters", rope_json(info)}};
}

void read_windows(ConfigKeys& keys, ModelInfo& info, Index usual_window, const std::function<bool(Index)>& slides) {
  const std::vector<std::string> types = keys.words("layer_types");
  const Index window = keys.has("sliding_window") ? keys.size("sliding_window") : usual_window;
  keys.harmless({"sliding_window"});
  if (!types.empty() && std::ssize(types) != info.n_layers)
    keys.refuse("layer_types", fmt::format("one entry for each of {} layers", info.n_layers));
  for (Index layer = 0; layer < info.n_layers; ++layer) {
    bool slide = slides(layer);
    if (!types.empty()) {
      const std::string& type = types[static_cast<std::size_t>(layer)];
      slide = type == "sliding_attention";
      if (!slide && type != "full_attention") keys.refuse("layer_types", "'full_attention' or 'sliding_attention'");
    }
    if (slide && window == 0) keys.refuse("sliding_window", "a whole number of at least 1");
    info.windows.push_back(slide ? window : 0);
  }
  if (std::all_of(info.windows.begin(), info.windows.end(), [](Index w) { return w == 0; })) info.windows.clear();
}

base::Json layer_types_json(const ModelInfo& info) {
  base::Json types = base::Json::array();
  for (Index layer = 0; layer < info.n_layers; ++layer)
    types.push_back(info.window(layer) > 0 ? "sliding_attention" : "full_attention");
  return types;
}

Index largest_window(const ModelInfo& info) {
  return info.windows.empty() ? 0 : *std::max_element(info.windows.begin(), info.windows.end());
}

void read_optional_windows(ConfigKeys& keys, ModelInfo& info) {
  const bool slides = keys.flag("use_sliding_window", false);
  const Index first = keys.size("max_window_layers", 28);
  read_windows(keys, info, slides ? 4096 : 0, [&](Index layer) { return slides && layer >= first; });
}

void add_optional_windows(const ModelInfo& info, base::Json& config) {
  const Index window = largest_window(info);
  config["use_sliding_window"] = window > 0;
  config["sliding_window"] = window > 0 ? base::Json(window) : base::Json();
  config["layer_types"] = layer_types_json(info);
}

std::vector<StoredName> llama_like_names(const ModelInfo& info, const LlamaNorms& norms) {
  std::vector<StoredName> names;
  for (const Slot slot : slots(info)) names.push_back({name_of(slot, norms), slot, how_stored(slot.part, norms)});
  return names;
}

Family llama_like_family(const char* model_type, ModelInfo (*read)(ConfigKeys&), base::Json (*write)(const ModelInfo&),
                         std::vector<StoredName> (*names)(const ModelInfo&)) {
  return {model_type, read, write, names, "model.", "lm_head.weight", "", {"layers.*.self_attn.rotary_emb.inv_freq"}};
}

}  // namespace diopter::model
