// diopter model --help: the verbs on models. Each is another program's; this one starts in milliseconds.
#include <CLI/CLI.hpp>

#include "cli/verbs.hpp"

namespace diopter::cli {

void add_model_group(CLI::App& app, Action&) {
  CLI::App* group = app.add_subcommand("model", "Models: info, pull, verify, convert");
  group->require_subcommand(1);
  group->add_subcommand("info", "What a model is: sizes, blocks, tokenizer, files");
  group->add_subcommand("verify", "Compare logits, stream and tokens with transformers on this machine");
  group->add_subcommand("convert", "Write a model, of any layout that is read, as a Hugging Face folder");
  group->add_subcommand("pull", "Fetch a model of the Hugging Face hub into this machine's cache");
}

}  // namespace diopter::cli
