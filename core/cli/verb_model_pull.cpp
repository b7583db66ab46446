// diopter model pull ID[@REVISION]: a model of the Hugging Face hub comes into the cache of this machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/progress.hpp"
#include "cli/output.hpp"
#include "cli/pull_verbs.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/pull.hpp"

namespace diopter::cli {
namespace {

struct PullFlags {
  CommonFlags common;
  std::string id;
  std::vector<std::string> include;
};

const char* word_of(hub::Arrival arrival) {
  switch (arrival) {
    case hub::Arrival::Here: return "was here";
    case hub::Arrival::Fetched: return "fetched";
    case hub::Arrival::Resumed: return "resumed";
  }
  return "";
}

int pull(const PullFlags& flags) {
  const hub::PullRequest request{.id = hub::parse_hub_id(flags.id), .include = flags.include};
  hub::HubSettings settings = hub::hub_settings();
  if (flags.common.quiet) settings.progress_bar = hub::ProgressBar::Hidden;
  base::install_interrupt_handlers();
  const hub::Pulled pulled = hub::pull_model(settings, request);

  Rows rows{.columns = {{.name = "file", .heading = "FILE", .whole = true},
                        {.name = "bytes", .heading = "BYTES", .numeric = true, .whole = true},
                        {.name = "arrival", .heading = "NOW"}},
            .cells = {}};
  std::uint64_t bytes = 0;
  for (const hub::PulledFile& file : pulled.files) {
    rows.cells.push_back({file.name, file.bytes, word_of(file.arrival)});
    bytes += file.bytes;
  }
  const std::string source = hub::written(request.id), pinned = request.id.repo + "@" + pulled.commit;
  write_rows(flags.common, "diopter.pull/1", rows, std::ssize(rows.cells),
             {{"source", source},
              {"pinned", pinned},
              {"commit", pulled.commit},
              {"folder", pulled.folder.string()},
              {"bytes", bytes}});
  talk(flags.common, fmt::format("{}, {} in {} files: {}", source, base::bytes_text(bytes), pulled.files.size(),
                                 pulled.folder.string()));
  talk(flags.common,
       fmt::format("in a manifest: [model] source = \"{}\", or for this commit and no other \"{}\"", source, pinned));
  return 0;
}

}  // namespace

void add_model_pull(CLI::App& app, Action& action) {
  auto flags = std::make_shared<PullFlags>();
  CLI::App* group = app.add_subcommand("model", "Models: info, pull");
  group->require_subcommand(1);
  CLI::App* verb = group->add_subcommand("pull", "Fetch a model of the Hugging Face hub into this machine's cache");
  flags->common.add_to(*verb);
  verb->add_option("model", flags->id, "gpt2, EleutherAI/pythia-70m, either with @branch, @tag or @commit")
      ->required()
      ->type_name("ID");
  verb->add_option("--include", flags->include, "Only files that match, instead of those that make the model")
      ->type_name("GLOB")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->callback([flags, &action] { action = [flags] { return pull(*flags); }; });
}

}  // namespace diopter::cli
