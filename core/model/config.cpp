#include "model/config.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "model/config_source.hpp"
#include "model/family.hpp"

namespace diopter::model {
namespace fs = std::filesystem;

using base::Exit;
using base::Json;
using base::UserError;

ModelInfo read_config(const fs::path& path) {
  const ConfigSource source = find_config(path);
  return parse_config(source.config, source.file.string());
}

ModelInfo parse_config(const Json& config, const std::string& where) {
  if (!config.is_object() || !config.contains("model_type") || !config["model_type"].is_string()) {
    throw UserError(Exit::Refused, fmt::format("{}: expected a string as 'model_type', got none", where),
                    "it names the family, for example \"gpt2\"", "model.config");
  }
  ConfigKeys keys(config, where);
  ModelInfo info = find_family(config["model_type"].get<std::string>(), where).read_config(keys);
  check_supported(info);
  return info;
}

Json config_json(const ModelInfo& info) { return find_family(info.family, "the model to write").write_config(info); }

void check_supported(const ModelInfo& info) {
  const auto refuse = [](const std::string& what) {
    throw UserError(Exit::Refused, "expected an architecture diopter computes, got one with " + what, {},
                    "model.architecture");
  };
  for (const Index size :
       {info.n_layers, info.n_heads, info.n_kv_heads, info.d_model, info.d_head, info.d_vocab, info.n_ctx}) {
    DIOPTER_CHECK(size > 0, "every size of a model is positive");
  }
  if (info.n_heads % info.n_kv_heads != 0) {
    refuse(
        fmt::format("{} query heads for {} key/value heads, which is not a multiple", info.n_heads, info.n_kv_heads));
  }
  if (info.qkv == QkvLayout::ByHead && info.n_heads != info.n_kv_heads) {
    refuse("grouped key/value heads in a matrix ordered by head");
  }
  if (info.positions == PositionKind::Rotary &&
      (info.rotary_dims < 2 || info.rotary_dims > info.d_head || info.rotary_dims % 2 != 0)) {
    refuse(fmt::format("{} rotary entries of {} in a head, expected an even number up to that", info.rotary_dims,
                       info.d_head));
  }
  if (info.parallel_block && info.attention_only) refuse("parallel blocks without an MLP");
  DIOPTER_CHECK(info.attention_scale > 0 && info.norm_eps > 0 && (info.attention_only || info.d_mlp > 0),
                "attention_scale, norm_eps and d_mlp of a model are positive");
}

}  // namespace diopter::model
