// diopter model info MODEL: what a model is, from its files.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "base/error.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/hash_cache.hpp"
#include "exec/model_source.hpp"
#include "exec/model_tokenizer.hpp"
#include "model/parameters.hpp"
#include "text/tokenizer.hpp"

namespace diopter::cli {
namespace {

struct ModelFlags {
  CommonFlags common;
  std::string model;
};

const char* name_of(NormKind kind) {
  return kind == NormKind::LayerNorm ? "LayerNorm" : kind == NormKind::RmsNorm ? "RMSNorm" : "none";
}
const char* name_of(PositionKind kind) {
  return kind == PositionKind::Learned ? "learned" : kind == PositionKind::Rotary ? "rotary" : "none";
}
const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::GeluNew: return "gelu_new";
    case Activation::Gelu: return "gelu";
    case Activation::QuickGelu: return "quick_gelu";
    case Activation::Silu: return "silu";
    case Activation::Relu: return "relu";
    case Activation::Solu: return "solu";
  }
  return "";
}

std::string blocks_of(const ModelInfo& info) {
  if (info.attention_only) return "attention only";
  std::string out = info.parallel_block ? "attention and MLP side by side" : "attention, then MLP";
  if (info.gated_mlp) out += ", gated";
  if (info.post_norms) out += ", norms before and after";
  return out;
}

// "theta 500000, first 16 of 64 entries, llama3 scaling by 8"
std::string rotary_of(const ModelInfo& info) {
  std::string out = fmt::format("theta {}", info.rope.theta);
  if (info.rotary_dims != info.d_head) out += fmt::format(", first {} of {} entries", info.rotary_dims, info.d_head);
  if (info.rope.kind == RopeKind::Linear) out += fmt::format(", linear scaling by {}", info.rope.factor);
  if (info.rope.kind == RopeKind::Llama3) out += fmt::format(", llama3 scaling by {}", info.rope.factor);
  return out;
}

// What only some families have.
void describe_special(const ModelInfo& info, base::Json& out) {
  if (info.positions == PositionKind::Rotary) out["rotary"] = rotary_of(info);
  base::Json windows = base::Json::array();
  for (Index layer = 0; layer < info.n_layers && !info.windows.empty(); ++layer) windows.push_back(info.window(layer));
  if (!windows.empty()) out["windows"] = windows;
  if (info.score_softcap > 0) out["score_softcap"] = info.score_softcap;
  if (info.logit_softcap > 0) out["logit_softcap"] = info.logit_softcap;
  if (info.embed_scale != 1) out["embed_scale"] = info.embed_scale;
  if (info.query_key_norm) out["query_key_norm"] = true;
}

std::int64_t parameter_count(const ModelInfo& info) {
  std::int64_t count = 0;
  for (const model::Slot& slot : model::slots(info)) {
    std::int64_t size = 1;
    for (const Index n : model::slot_shape(info, slot.part)) size *= n;
    count += size;
  }
  return count;
}

base::Json describe(const exec::ModelFolder& folder) {
  const ModelInfo info = exec::read_info(folder);
  exec::HashCache hashes({});
  base::Json out = {{"schema", "diopter.model/1"},
                    {"name", info.name},
                    {"family", info.family},
                    {"folder", folder.folder.string()},
                    {"parameters", parameter_count(info)},
                    {"n_layers", info.n_layers},
                    {"n_heads", info.n_heads},
                    {"n_kv_heads", info.n_kv_heads},
                    {"d_model", info.d_model},
                    {"d_head", info.d_head},
                    {"d_mlp", info.d_mlp},
                    {"d_vocab", info.d_vocab},
                    {"n_ctx", info.n_ctx},
                    {"blocks", blocks_of(info)},
                    {"norm", name_of(info.norm)},
                    {"norm_eps", info.norm_eps},
                    {"positions", name_of(info.positions)},
                    {"activation", name_of(info.activation)},
                    {"attention_scale", info.attention_scale},
                    {"tied_embeddings", info.tied_embeddings},
                    {"bos", info.bos == BosPolicy::Prepend ? "prepended" : "none"},
                    {"sha256", hashes.of_files(exec::model_files(folder))}};
  describe_special(info, out);
  base::Json files = base::Json::array();
  for (const auto& file : exec::model_files(folder)) {
    files.push_back({{"name", file.filename().string()}, {"bytes", std::filesystem::file_size(file)}});
  }
  out["files"] = files;
  if (const auto tokenizer = exec::load_tokenizer(folder)) {
    out["tokenizer"] = {{"tokens", tokenizer->size()},
                        {"bos", tokenizer->bos() ? base::Json(tokenizer->label(*tokenizer->bos())) : base::Json()}};
    const std::string mismatch = exec::vocabulary_mismatch(*tokenizer, info);
    if (!mismatch.empty()) out["warning"] = mismatch;
  }
  return out;
}

int info(const ModelFlags& flags) {
  const base::Json document = describe(exec::find_model(flags.model));
  if (flags.common.format() == Format::Json) {
    write_json(document);
    return 0;
  }
  Rows rows{.columns = {{.name = "key", .heading = "", .whole = true}, {.name = "value", .heading = "", .whole = true}},
            .cells = {}};
  for (const char* key : {"name",
                          "family",
                          "folder",
                          "parameters",
                          "n_layers",
                          "n_heads",
                          "n_kv_heads",
                          "d_model",
                          "d_head",
                          "d_mlp",
                          "d_vocab",
                          "n_ctx",
                          "blocks",
                          "norm",
                          "norm_eps",
                          "positions",
                          "rotary",
                          "windows",
                          "score_softcap",
                          "logit_softcap",
                          "embed_scale",
                          "query_key_norm",
                          "activation",
                          "attention_scale",
                          "tied_embeddings",
                          "bos",
                          "sha256"}) {
    if (!document.contains(key)) continue;
    rows.cells.push_back(
        {key, document[key].is_number_integer() ? base::Json(with_thousands(document[key])) : document[key]});
  }
  if (document.contains("tokenizer")) rows.cells.push_back({"tokens", with_thousands(document["tokenizer"]["tokens"])});
  if (document.contains("warning")) rows.cells.push_back({"warning", document["warning"]});
  for (const auto& file : document["files"]) {
    rows.cells.push_back({file["name"], with_thousands(file["bytes"]) + " bytes"});
  }
  CommonFlags plain = flags.common;
  plain.no_header = true;
  write_rows(plain, "diopter.model/1", rows, static_cast<std::int64_t>(rows.cells.size()));
  return 0;
}

}  // namespace

void add_model(CLI::App& app, Action& action) {
  auto flags = std::make_shared<ModelFlags>();
  CLI::App* group = app.add_subcommand("model", "Models: info, pull, verify, convert");
  group->require_subcommand(1);
  CLI::App* verb = group->add_subcommand("info", "Sizes, conventions, files and hash of a model");
  verb->add_option("model", flags->model,
                   "organism, a folder, a file of weights, or a model of the hub that was pulled")
      ->required();
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return info(*flags); }; });
  add_model_verify(*group, action);
  add_model_convert(*group, action);
}

}  // namespace diopter::cli
