// libexec/diopter/diopter-host: what bin/diopter becomes for verbs that need LibTorch or open a plugin.
#include <CLI/CLI.hpp>
#include <csignal>

#include <diopter/base.hpp>
#include <diopter/error.hpp>

#include "base/error.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"

namespace {

using namespace diopter;

constexpr cli::AddVerb kVerbs[] = {cli::add_check,    cli::add_run,  cli::add_hooks,    cli::add_model,
                                   cli::add_tokenize, cli::add_peek, cli::add_generate, cli::add_plugin};

int run(int argc, char** argv) {
  CLI::App app{"diopter", "diopter"};
  app.require_subcommand(1);
  cli::Action action;
  for (const cli::AddVerb add : kVerbs) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    const std::string verb = argc > 1 ? std::string(argv[1]) + " " : std::string();
    throw base::UserError(base::Exit::Usage, error.what(), "diopter " + verb + "--help", "cli.usage");
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  const bool json = cli::asks_for_json(argc, argv);
  try {
    return run(argc, argv);
  } catch (const Error& error) {  // what the SDK refuses is a mistake of the command line or the manifest
    return cli::report_error(base::UserError(base::Exit::Usage, error.what()), json);
  } catch (const std::exception& error) {
    return cli::report_error(error, json);
  }
}
