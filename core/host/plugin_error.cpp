#include "host/plugin_error.hpp"

#include <utility>

namespace diopter::host {
namespace {

base::Exit exit_of(Stage stage) {
  switch (stage) {
    case Stage::Find:
    case Stage::Params:
    case Stage::Needs:
    case Stage::Hooks:
    case Stage::Create: return base::Exit::Usage;
    case Stage::Host:
    case Stage::File:
    case Stage::Stamp:
    case Stage::Open:
    case Stage::Entry: return base::Exit::Refused;
    case Stage::Run:
    case Stage::Finish: return base::Exit::Failed;
  }
  return base::Exit::Internal;
}

}  // namespace

const char* stage_name(Stage stage) {
  constexpr const char* names[] = {"host",   "find",  "file",  "stamp",  "open", "entry",
                                   "params", "needs", "hooks", "create", "run",  "finish"};
  return names[static_cast<int>(stage)];
}

PluginError::PluginError(Stage stage, std::string code, const std::string& sentence, About about)
    : UserError(exit_of(stage), sentence, {}, std::string("plugin.") + stage_name(stage) + "." + code),
      stage_(stage),
      code_(std::move(code)),
      about_(std::move(about)) {}

PluginError::~PluginError() = default;

std::string PluginError::advice() const {
  const std::string sentence = what();
  const std::size_t semicolon = sentence.rfind("; ");
  return semicolon == std::string::npos ? std::string() : sentence.substr(semicolon + 2);
}

}  // namespace diopter::host
