// libexec/diopter/diopter-pull: what bin/diopter becomes for `model pull`. A program of its own because libcurl and its
// thirty libraries take longer to load than any other verb takes to answer.
#include <CLI/CLI.hpp>
#include <csignal>

#include "base/error.hpp"
#include "cli/output.hpp"
#include "cli/pull_verbs.hpp"

namespace {

using namespace diopter;

int run(int argc, char** argv) {
  CLI::App app{"diopter", "diopter"};
  app.require_subcommand(1);
  cli::Action action;
  cli::add_model_pull(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    throw base::UserError(base::Exit::Usage, error.what(), "diopter model pull --help", "cli.usage");
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is then an error of write(), with a sentence
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return cli::report_error(error, cli::asks_for_json(argc, argv));
  }
}
