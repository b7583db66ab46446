// Why a plugin or a kind of it cannot be used: one sentence, the step of the loading sequence, and what it is about.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace diopter::host {

// In the order of the loading sequence (docs/plugins.md).
enum class Stage { Host, Find, File, Stamp, Open, Entry, Params, Needs, Hooks, Create, Run, Finish };
const char* stage_name(Stage stage);

// What the error is about; empty where it is not known or does not apply.
struct About {
  std::filesystem::path file;
  std::string plugin_id;
  std::string kind;
};

// id() is "plugin.STAGE.CODE". Exit codes: Usage for mistakes in the manifest (find, params, needs, hooks, create),
// Refused for a library (host, file, stamp, open, entry), Failed for a run.
class PluginError : public base::UserError {
 public:
  PluginError(Stage stage, std::string code, const std::string& sentence, About about = {});
  ~PluginError() override;

  Stage stage() const noexcept { return stage_; }
  const std::string& code() const noexcept { return code_; }
  const About& about() const noexcept { return about_; }
  std::string advice() const;  // the part of the sentence after its last semicolon, for --json; "" when there is none

 private:
  Stage stage_;
  std::string code_;
  About about_;
};

}  // namespace diopter::host
