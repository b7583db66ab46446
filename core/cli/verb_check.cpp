// diopter check MANIFEST: every mistake at once; runs nothing.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/check_study.hpp"
#include "study/kind_toml.hpp"

namespace diopter::cli {
namespace {

struct CheckFlags {
  CommonFlags common;
  std::string manifest;
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugin_path;
};

int check(const CheckFlags& flags) {
  exec::KindLibrary kinds(flags.plugin_path);
  study::Problems problems;
  const auto study = exec::check_study(flags.manifest, flags.overrides, kinds, problems);
  if (flags.common.format() == Format::Json) {
    write_json(problems.json());
  } else if (const std::string text = problems.text(); !text.empty()) {
    fmt::print(stderr, "{}", text);
  }
  if (!study) return static_cast<int>(kinds.worst());
  talk(flags.common,
       fmt::format("{}: {} of '{}', no mistakes", flags.manifest,
                   study->runs.size() == 1 ? std::string("1 run") : fmt::format("{} runs", study->runs.size()),
                   study->study.experiment.name));
  return 0;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* verb = app.add_subcommand("check", "Check a manifest: every mistake at once, nothing is run");
  verb->add_option("manifest", flags->manifest, "the TOML file")->required();
  verb->add_option("overrides", flags->overrides, "KEY=VALUE, e.g. model.source=./gpt2");
  verb->add_option("--plugin-path", flags->plugin_path, "Look for plugins here first")->type_name("DIR");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return check(*flags); }; });
}

}  // namespace diopter::cli
