// The [prompts] of a manifest, read when a run asks for one: which rows a set has can depend on the model. Private to
// the room.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "study/model_settings.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"
#include "study/prompts.hpp"

namespace diopter::study {

struct Folder {
  std::filesystem::path path;   // of the manifest, absolute
  std::filesystem::path shown;  // the same as the user wrote it: "experiments", or "" for the current folder
};

class PromptSets {
 public:
  // `prompts`: the [prompts] table, or nullptr. `family_of` may be empty. All references must outlive this.
  PromptSets(const Node* prompts, Folder folder, std::function<std::string(const ModelSettings&)> family_of,
             Problems& problems);

  std::vector<std::string> names() const;
  bool declares(const std::string& name) const;
  // The set for this model (nullptr: a run without one). nullptr: problems were added (once per set and model).
  std::shared_ptr<const PromptSet> get(const std::string& name, const ModelSettings* model);
  // Reads the sets that no run asked for, so that their mistakes are told too, and warns of them.
  void finish(const ModelSettings* model);
  std::vector<std::shared_ptr<const PromptSet>> used() const;  // in the order of the first request

 private:
  // The set's table with the keys of its [prompts.NAME.for.SOURCE] put in place.
  Node effective_table(const Member& declared, const ModelSettings* model);
  const Member* replacement(const Member& declared, const ModelSettings* model);
  std::shared_ptr<const PromptSet> read(const Member& declared, const Node& table);
  bool locate_file(PromptSet& set, const Node& path);
  bool read_file(PromptSet& set, const Node& path, std::size_t limit);

  const Node* prompts_;
  Folder folder_;
  std::function<std::string(const ModelSettings&)> family_of_;
  Problems& problems_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const PromptSet>>
      sets_;  // (name, replacement's key) -> set
  std::vector<std::shared_ptr<const PromptSet>> used_;
  bool shape_is_fine_ = true;  // false: [prompts] itself was refused
};

// A path of the manifest: relative to `folder`; one from an override relative to the current folder. Lexically normal,
// absolute.
std::filesystem::path resolve_path(const Node& text, const std::filesystem::path& folder);
// The same file for messages, as one would name it where the command was typed.
std::string shown_path(const Node& text, const Folder& folder);

}  // namespace diopter::study
