// bin/diopter. Verbs that only look at the store are done here, without LibTorch; any other verb belongs to the host.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <iostream>

#include "base/hints.hpp"
#include "base/installation.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace {

using namespace diopter;

constexpr cli::AddVerb kVerbs[] = {cli::add_runs,   cli::add_show,        cli::add_metrics,    cli::add_diff,
                                   cli::add_tensor, cli::add_sql,         cli::add_report,     cli::add_status,
                                   cli::add_ingest, cli::add_plugin_list, cli::add_model_group};

std::string word(int argc, char** argv, int i) { return i < argc ? argv[i] : ""; }

bool is_for_pull(const std::string& verb, const std::string& second) { return verb == "model" && second == "pull"; }

// Of the plugin verbs only `list` opens no plugin; help on one of them, and on one of the model verbs, is the host's
// too.
bool is_for_host(const std::string& verb, const std::string& second) {
  if (verb == "plugin") return !second.empty() && second.front() != '-' && second != "list";
  if (verb == "model") return !second.empty() && second.front() != '-';
  const auto& host = cli::host_verbs();
  return std::any_of(host.begin(), host.end(), [&](const cli::HostVerb& one) { return one.name == verb; });
}

// "--sohw": the nearest flag of the verb that was chosen.
std::string with_nearest_flag(const CLI::App& app, const std::string& message) {
  const std::size_t at = message.find("--");
  if (at == std::string::npos) return message;
  const std::string flag = message.substr(at, message.find_first_of(" =", at) - at);
  std::vector<std::string> known;
  for (const CLI::App* verb : app.get_subcommands()) {
    for (const CLI::Option* option : verb->get_options()) known.push_back(option->get_name());
  }
  const auto near = base::nearest(flag, known);
  return near.empty() ? message : message + base::did_you_mean(flag, near);
}

int run(int argc, char** argv) {
  CLI::App app{"diopter: look inside transformers. Experiments are TOML manifests; results land in a store."};
  app.name("diopter");
  app.require_subcommand(0, 1);
  cli::Action action;
  for (const cli::AddVerb add : kVerbs) add(app, action);
  std::vector<std::string> known;
  for (const CLI::App* verb : app.get_subcommands({})) known.push_back(verb->get_name());
  const std::string verb = word(argc, argv, 1);
  if (is_for_pull(verb, word(argc, argv, 2))) cli::become_pull(argv);
  if (is_for_host(verb, word(argc, argv, 2))) cli::become_host(argv);
  for (const cli::HostVerb& host : cli::host_verbs()) {
    known.push_back(host.name);
    app.add_subcommand(host.name, host.summary);
  }
  if (!verb.empty() && verb.front() != '-' && std::find(known.begin(), known.end(), verb) == known.end()) {
    throw base::UserError(base::Exit::Usage, "unknown verb " + base::quoted(verb) + base::did_you_mean(verb, known),
                          "diopter --help lists the verbs", "cli.verb");
  }
  bool prefix = false, cmake_prefix = false;
  app.set_version_flag("--version", "diopter " DIOPTER_VERSION);
  app.add_flag("--prefix", prefix, "Print where this diopter lives");
  app.add_flag("--cmake-prefix-path", cmake_prefix, "Print what CMake needs to find the SDK");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    throw base::UserError(base::Exit::Usage, with_nearest_flag(app, error.what()),
                          fmt::format("diopter {}--help", verb.empty() ? "" : verb + " "), "cli.usage");
  }
  if (prefix || cmake_prefix) {  // a plugin is built against this SDK and the LibTorch it was built with
    cli::write_stdout(base::prefix().string() + (cmake_prefix ? ";" DIOPTER_LIBTORCH_PREFIX "\n" : "\n"));
    return 0;
  }
  if (action) return action();
  cli::write_stdout(app.help());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // `diopter runs | head` ends silently
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return cli::report_error(error, cli::asks_for_json(argc, argv));
  }
}
