// diopter peek MODEL TEXT: run a model once and look: next tokens, and any activation for Python.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "cli/export_tensor.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/peek.hpp"

namespace diopter::cli {
namespace {

struct PeekFlags {
  CommonFlags common;
  std::string model, text, out, bos = "family", dtype = "float32";
  std::vector<std::string> hooks;
  std::int64_t top = 10, threads = 0;
};

std::string shape_text(const at::Tensor& value) { return fmt::format("[{}]", fmt::join(value.sizes(), ", ")); }

void write_out(const PeekFlags& flags, const exec::Peek& peek) {
  std::vector<NamedArray> arrays;
  std::int64_t bytes = 0;
  for (const auto& [name, value] : peek.values) {
    const at::Tensor stored = value.to(at::kFloat).contiguous();
    bytes += static_cast<std::int64_t>(stored.nbytes());
    arrays.push_back(
        {name, "f32", stored.sizes().vec(), std::string(static_cast<const char*>(stored.data_ptr()), stored.nbytes())});
  }
  write_arrays(flags.out, arrays);
  talk(flags.common, fmt::format("{}: {} arrays, {} bytes       python: numpy.load(\"{}\")[\"{}\"]", flags.out,
                                 arrays.size(), with_thousands(bytes), flags.out, arrays.front().name));
}

int peek(const PeekFlags& flags) {
  if (!flags.out.empty() && flags.hooks.empty()) {
    throw base::UserError(base::Exit::Usage, "--out needs --hooks: which activations are written",
                          "diopter hooks " + flags.model);
  }
  if (!flags.out.empty()) require_known_ending(flags.out);
  const exec::Peek result = exec::peek({.model = flags.model,
                                        .text = flags.text,
                                        .bos = flags.bos,
                                        .dtype = flags.dtype,
                                        .hooks = flags.hooks,
                                        .top = flags.top,
                                        .threads = flags.threads});
  Rows rows{.columns = {{.name = "rank", .heading = "RANK", .numeric = true},
                        {.name = "token", .heading = "TOKEN", .whole = true},
                        {.name = "prob", .heading = "PROBABILITY", .numeric = true},
                        {.name = "logit", .heading = "LOGIT", .numeric = true},
                        {.name = "id", .heading = "ID", .numeric = true}},
            .cells = {}};
  for (std::size_t i = 0; i < result.top.size(); ++i) {
    rows.cells.push_back(
        {i, base::printable(result.top[i].token), result.top[i].prob, result.top[i].logit, result.top[i].id});
  }
  base::Json shapes = base::Json::object();
  for (const auto& [name, value] : result.values) shapes[name] = value.sizes().vec();
  write_rows(flags.common, "diopter.peek/1", rows, std::ssize(rows.cells),
             {{"model", result.model},
              {"ids", result.ids},
              {"hooks", shapes},
              {"dtype", flags.dtype},
              {"precision", result.precision.empty() ? base::Json() : base::Json(result.precision)}});
  if (!result.precision.empty()) talk(flags.common, result.precision);
  if (!flags.out.empty()) {
    write_out(flags, result);
  } else {
    for (const auto& [name, value] : result.values)
      talk(flags.common, fmt::format("{:<34} {}", name, shape_text(value)));
  }
  return 0;
}

}  // namespace

void add_peek(CLI::App& app, Action& action) {
  auto flags = std::make_shared<PeekFlags>();
  CLI::App* verb = app.add_subcommand("peek", "Run a model once on a text: next tokens, and activations for Python");
  verb->add_option("model", flags->model, "organism, a folder, or a file of weights")->required();
  verb->add_option("text", flags->text, "the prompt")->required();
  verb->add_option("--hooks", flags->hooks, "hook points to keep: names or globs")->type_name("GLOB");
  verb->add_option("--top", flags->top, "next tokens shown")->check(CLI::Range(1, 1000))->type_name("N");
  verb->add_option("--out", flags->out, "write the activations: .npz or .safetensors")->type_name("FILE");
  verb->add_option("--bos", flags->bos, "family, always or never")->check(CLI::IsMember({"family", "always", "never"}));
  verb->add_option("--dtype", flags->dtype, "of weights and values: float32, bfloat16 or float16")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  verb->add_option("--threads", flags->threads, "of LibTorch")->type_name("N");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return peek(*flags); }; });
}

}  // namespace diopter::cli
