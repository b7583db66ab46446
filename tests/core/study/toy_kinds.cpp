#include "core/study/toy_kinds.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <stdexcept>

#include <unistd.h>

#include "base/hints.hpp"

namespace diopter::study::toys {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

diopter_kind kind(const char* name, std::uint32_t needs, std::uint32_t version,
                  const std::vector<diopter_param>& params, const std::vector<diopter_output>& outputs) {
  diopter_kind out{};
  out.struct_size = sizeof(diopter_kind);
  out.needs = needs;
  out.version = version;
  out.name = name;
  out.summary = "A kind for tests.";
  out.doc = "";
  out.params = params.data();
  out.param_count = static_cast<std::uint32_t>(params.size());
  out.param_size = sizeof(diopter_param);
  out.outputs = outputs.data();
  out.output_count = static_cast<std::uint32_t>(outputs.size());
  out.output_size = sizeof(diopter_output);
  out.hook_size = sizeof(diopter_hook);
  return out;
}

diopter_param choice(const char* name, const char* choices, const char* fallback, const char* example) {
  diopter_param out = row(name, DIOPTER_CHOICE, fallback);
  out.choices = choices;
  out.example = example;
  return out;
}

diopter_param limited(const char* name, std::uint32_t type, const char* fallback, double min, double max) {
  diopter_param out = row(name, type, fallback);
  out.min = min;
  out.max = max;
  return out;
}

diopter_param indexed(const char* name, std::uint32_t type, const char* fallback, const char* axis) {
  diopter_param out = row(name, type, fallback);
  out.index_of = axis;
  return out;
}

diopter_param cosmetic(diopter_param row) {
  row.flags = DIOPTER_COSMETIC;
  return row;
}

diopter_output output(const char* name, std::uint32_t type, const char* dims = "") {
  return {name, "An output.", "", dims, "", "", type, 0};
}

}  // namespace

diopter_param row(const char* name, std::uint32_t type, const char* fallback) {
  const char* example = type == DIOPTER_INT           ? "1"
                        : type == DIOPTER_INT_LIST    ? "[1]"
                        : type == DIOPTER_METRIC_LIST ? "[\"logit_diff\"]"
                                                      : "\"x\"";
  return {name, "A parameter.", "", fallback, example, "", "", type, 0, -kNone, kNone};
}

const diopter_kind& patching() {
  static const std::vector<diopter_param> params = {
      choice("site", "resid_pre|resid_mid|attn_out|mlp_out|z", nullptr, "\"resid_pre\""),
      choice("over", "layer pos|layer head", "\"layer pos\"", ""),
      choice("direction", "denoise|noise", "\"denoise\"", ""),
      indexed("layers", DIOPTER_INT_LIST, "\"all\"", "layer"),
      indexed("positions", DIOPTER_INT_LIST, "\"all\"", "pos"),
      limited("chunk", DIOPTER_INT, "0", 0, 100000),
      row("metrics", DIOPTER_METRIC_LIST, "[\"logit_diff\"]"),
  };
  static const std::vector<diopter_output> outputs = {output("clean_metric", DIOPTER_METRIC),
                                                      output("corrupted_metric", DIOPTER_METRIC),
                                                      output("effect", DIOPTER_TENSOR, "layer pos|layer head"),
                                                      output("grid", DIOPTER_FIGURE), output("notes", DIOPTER_TEXT)};
  static const diopter_kind out = kind("patching", DIOPTER_NEEDS_PAIRS | DIOPTER_NEEDS_ANSWERS, 3, params, outputs);
  return out;
}

const diopter_kind& everything() {
  static const std::vector<diopter_param> params = {
      limited("top_k", DIOPTER_INT, "10", 1, 100),
      limited("rate", DIOPTER_FLOAT, "1.0", -kNone, 8),
      row("flag", DIOPTER_BOOL, "true"),
      row("label", DIOPTER_STRING, "\"\""),
      row("file", DIOPTER_PATH, "\"\""),
      choice("mode", "mean|zero|resample", "\"mean\"", ""),
      row("word", DIOPTER_TOKEN, "\" the\""),
      row("hook", DIOPTER_HOOKS, "\"blocks.*.hook_resid_post\""),
      row("where", DIOPTER_POSITIONS, "\"all\""),
      row("vector", DIOPTER_INPUT, "\"\""),
      indexed("layer", DIOPTER_INT, "0", "layer"),
      indexed("heads", DIOPTER_INT_LIST, "\"all\"", "head"),
      row("counts", DIOPTER_INT_LIST, "[1, 2]"),
      limited("coefficients", DIOPTER_FLOAT_LIST, "[1.0]", -100, 100),
      row("names", DIOPTER_STRING_LIST, "[]"),
      row("words", DIOPTER_TOKEN_LIST, "[]"),
      []() {
        diopter_param out = row("modes", DIOPTER_CHOICE_LIST, "[]");
        out.choices = "mean|zero";
        return out;
      }(),
      row("files", DIOPTER_INPUT_LIST, "[]"),
      cosmetic(row("colour", DIOPTER_STRING, "\"blue\"")),
  };
  static const std::vector<diopter_output> outputs = {output("loss", DIOPTER_METRIC),
                                                      output("scores", DIOPTER_TENSOR, "layer head")};
  static const diopter_kind out = kind("everything", DIOPTER_NEEDS_EDITS, 1, params, outputs);
  return out;
}

const diopter_kind& make_corpus() {
  static const std::vector<diopter_param> params = {limited("documents", DIOPTER_INT, "100", 1, 1e6)};
  static const std::vector<diopter_output> outputs = {output("documents", DIOPTER_DATASET),
                                                      output("model", DIOPTER_MODEL)};
  static const diopter_kind out = kind("make_corpus", DIOPTER_NEEDS_TRAINING, 1, params, outputs);
  return out;
}

const diopter_kind& train_lm() {
  static const std::vector<diopter_param> params = {row("data", DIOPTER_PROMPTS, nullptr),
                                                    limited("steps", DIOPTER_INT, "10", 1, 1e9)};
  static const std::vector<diopter_output> outputs = {output("model", DIOPTER_MODEL), output("loss", DIOPTER_METRIC)};
  static const diopter_kind out = kind("train_lm", DIOPTER_NEEDS_TRAINING, 1, params, outputs);
  return out;
}

const std::vector<const diopter_kind*>& all() {
  static const std::vector<const diopter_kind*> kinds = {&patching(), &everything(), &make_corpus(), &train_lm()};
  return kinds;
}

StudyOptions options(std::vector<std::string> overrides) {
  StudyOptions out;
  out.overrides = std::move(overrides);
  out.find_kind = [](std::string_view name) -> KindAnswer {
    std::vector<std::string> known;
    for (const auto* kind : all()) {
      if (name == kind->name) return {kind, {}};
      known.emplace_back(kind->name);
    }
    return {nullptr, "no plugin offers kind " + base::quoted(name) + base::did_you_mean(name, known)};
  };
  out.sizes_of = [](const ModelSettings& model) -> std::optional<ModelSizes> {
    if (model.source == "gpt2") return ModelSizes{"gpt2", {{"layer", 12}, {"head", 12}, {"pos", 1024}}};
    if (model.source == "organism") return ModelSizes{"organism", {{"layer", 4}, {"head", 4}, {"pos", 128}}};
    return std::nullopt;
  };
  out.family_of = [](const ModelSettings& model) { return model.source == "llama-1b" ? "llama" : "gpt2"; };
  return out;
}

Folder::Folder() {
  static std::atomic<int> count = 0;
  path_ = std::filesystem::temp_directory_path() /
          ("diopter_study_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path Folder::write(const std::string& name, std::string_view text) const {
  const auto file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::string problems_of(const std::string& manifest, std::vector<std::string> overrides) {
  Problems problems;
  (void)read_study_text(manifest, "m.toml", options(std::move(overrides)), problems);
  return problems.text();
}

std::vector<std::string> messages_of(const std::string& manifest, std::vector<std::string> overrides) {
  Problems problems;
  (void)read_study_text(manifest, "m.toml", options(std::move(overrides)), problems);
  std::vector<std::string> out;
  for (const Problem* p : problems.sorted()) out.push_back(p->message);
  return out;
}

Study study_of(const std::string& manifest, std::vector<std::string> overrides) {
  Problems problems;
  auto study = read_study_text(manifest, "m.toml", options(std::move(overrides)), problems);
  EXPECT_EQ(problems.text(), "");
  if (!study) throw std::runtime_error("the manifest of this test is broken");
  return std::move(*study);
}

std::string manifest_with(const std::string& run_lines, const std::string& rest) {
  const std::string kind = run_lines.find("kind =") == std::string::npos ? "kind = \"everything\"\n" : "";
  return "schema = 1\n[experiment]\nname = \"t\"\n[model]\nsource = \"gpt2\"\n[[run]]\n" + kind + run_lines + "\n" +
         rest;
}

std::string sound_manifest() {
  return R"(#:schema https://example.org/diopter.schema.json
schema = 1

[experiment]
name  = "ioi-patching"
about = "Which residual-stream site carries the indirect object?"
tags  = ["ioi", "patching"]

[model]
source = "organism"
dtype  = "float32"

[[prompts.ioi.rows]]
clean     = "When Mary and John went to the store , John gave a drink to"
corrupted = "When Mary and John went to the store , Mary gave a drink to"
answer    = " Mary"
foil      = [" John", " Tom"]
group     = "names"

[[prompts.ioi.rows]]
clean     = "When Ann and Tom went to the store , Tom gave a drink to"
corrupted = "When Ann and Tom went to the store , Ann gave a drink to"
answer    = " Ann"
foil      = " Tom"
group     = "names"
length    = 15

[[run]]
id        = "resid"
kind      = "patching"
prompts   = "ioi"
site      = "resid_pre"
over      = "layer pos"
direction = "denoise"
metrics   = ["logit_diff", "prob"]
normalise = "clean_corrupted"
at        = -1

[[run]]
id    = "steer"
kind  = "everything"
needs = ["resid"]
seed  = 7
coefficients = { linspace = { from = -8, to = 8, count = 9 } }
heads = [0, -1]

  [[run.edit]]
  op = "scale"
  hook = "blocks.2.hook_resid_post"
  coefficient = [1, 2.5]
  positions = "last+generated"

[[run]]
id   = "corpus"
kind = "make_corpus"

[[run]]
id    = "train"
kind  = "train_lm"
needs = ["corpus"]
data  = "@corpus/documents"

[[expect]]
of     = "resid/clean_metric"
is     = 4.276
within = 1e-3
when   = { "model.source" = "gpt2" }

[[expect]]
of     = "resid/effect[layer=0,pos=10]"
is     = 1
within = 0.05

[[report]]
file = "ioi.html"
  [[report.figure]]
  of = "resid/effect"
  as = "heatmap"
  centre = 0

[execution]
jobs = 2
threads = 1
memory_budget = "8GB"
on_error = "stop"
timeout = "2h"
)";
}

}  // namespace diopter::study::toys
