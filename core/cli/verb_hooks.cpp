// diopter hooks MODEL: every hook point with its axes, from the model's config alone.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include <diopter/error.hpp>
#include <diopter/hook_name.hpp>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/model_source.hpp"

namespace diopter::cli {
namespace {

struct HooksFlags {
  CommonFlags common;
  std::string model, grep;
};

bool wanted(const std::string& name, const std::string& grep) {
  if (grep.empty() || name.find(grep) != std::string::npos) return true;
  const auto patterns = base::expand_braces(grep);
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return base::matches_glob(name, p); });
}

// "[batch, pos, head=4, d_head=32]": what the config fixes has its size.
std::string axes_text(const HookTable& table, HookId id) {
  const auto shape = table.shape(id, -1, -1);
  std::string out;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += out.empty() ? "[" : ", ";
    out += table[id].dims[i];
    if (shape[i] >= 0) out += fmt::format("={}", shape[i]);
  }
  return out + "]";
}

int hooks(const HooksFlags& flags) {
  const ModelInfo info = exec::read_info(exec::find_model(flags.model));
  const HookTable table(info);
  Rows rows{.columns = {{.name = "name", .heading = "HOOK POINT", .whole = true},
                        {.name = "axes", .heading = "AXES", .whole = true},
                        {.name = "layer", .heading = "LAYER", .numeric = true}},
            .cells = {}};
  std::int64_t total = 0;
  for (HookId id = 0; id < table.size(); ++id) {
    const std::string name(table[id].name);
    if (!wanted(name, flags.grep)) continue;
    ++total;
    rows.cells.push_back(
        {name, axes_text(table, id), table[id].layer < 0 ? base::Json() : base::Json(table[id].layer)});
  }
  if (total == 0) {
    throw base::UserError(base::Exit::NoMatch, fmt::format("no hook point of {} matches '{}'", info.name, flags.grep),
                          fmt::format("diopter hooks {}", flags.model));
  }
  write_rows(flags.common, "diopter.hooks/1", rows, total, {{"model", info.name}});
  return 0;
}

}  // namespace

void add_hooks(CLI::App& app, Action& action) {
  auto flags = std::make_shared<HooksFlags>();
  CLI::App* verb = app.add_subcommand("hooks", "Hook points of a model, with their axes");
  verb->add_option("model", flags->model,
                   "organism, a folder, a file of weights, or a model of the hub that was pulled")
      ->required();
  verb->add_option("--grep", flags->grep, "only names that contain this or match this glob");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return hooks(*flags); }; });
}

}  // namespace diopter::cli
