// The verbs of bin/diopter: those that need no model and open no plugin. Each is in verb_NAME.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace diopter::cli {

// Adds the verb to `app`; when it was chosen, `*action` does it and returns the exit code.
using Action = std::function<int()>;
using AddVerb = void (*)(CLI::App& app, Action& action);

void add_runs(CLI::App& app, Action& action);
void add_show(CLI::App& app, Action& action);
void add_metrics(CLI::App& app, Action& action);
void add_diff(CLI::App& app, Action& action);
void add_tensor(CLI::App& app, Action& action);
void add_sql(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_ingest(CLI::App& app, Action& action);
void add_plugin_list(CLI::App& app, Action& action);  // plugin list; the host has the other plugin verbs
void add_model_group(CLI::App& app,
                     Action& action);  // only for --help: the host has model info, diopter-pull model pull

struct HostVerb {
  std::string name, summary;
};
// What libexec/diopter/diopter-host does; for these bin/diopter becomes the host.
const std::vector<HostVerb>& host_verbs();

// Becomes that program with the same arguments. UserError(Refused) when it is not there.
[[noreturn]] void become_host(char** argv);
[[noreturn]] void become_pull(char** argv);  // libexec/diopter/diopter-pull

}  // namespace diopter::cli
