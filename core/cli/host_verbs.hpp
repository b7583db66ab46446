// The verbs that need LibTorch or open a plugin; libexec/diopter/diopter-host has them. Each is in verb_NAME.cpp.
#pragma once

#include "cli/verbs.hpp"

namespace diopter::cli {

void add_check(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_hooks(CLI::App& app, Action& action);
void add_model(CLI::App& app, Action& action);  // model info, and the verbs below
void add_model_convert(CLI::App& group, Action& action);
void add_model_verify(CLI::App& group, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_peek(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_plugin(CLI::App& app, Action& action);  // plugin show

}  // namespace diopter::cli
