// What plugins there are: the result of steps 1 to 5. Runs no plugin code and loads no LibTorch, so a listing is free.
//
//   const PluginIndex index = PluginIndex::scan(search_path(default_search(flags)));
//   const FoundKind kind = index.resolve("logit_lens");       // or "org.example.lens:logit_lens"
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/host_build.hpp"
#include "host/plugin_error.hpp"
#include "host/search_path.hpp"
#include "host/stamp.hpp"

namespace diopter::host {

struct FoundPlugin {
  std::filesystem::path file;
  Stamp stamp;
};
struct RefusedPlugin {
  std::filesystem::path file;
  PluginError error;             // of step 3 or 4
  std::vector<StampKind> kinds;  // what it would offer, when its stamp could be read
  std::string id;
};
struct FoundKind {
  std::filesystem::path file;
  Stamp stamp;
  std::string name;  // unqualified
};

class PluginIndex {
 public:
  // Unreadable and wrong files are kept with their sentence; nothing is thrown for them.
  static PluginIndex scan(const std::vector<std::filesystem::path>& directories, const HostBuild& host = this_host());

  // PluginError(Find): unknown_kind, ambiguous_kind, duplicate_id; for a kind that only a refused file offers, the
  // error of that file.
  FoundKind resolve(std::string_view kind) const;

  const std::vector<FoundPlugin>& plugins() const { return plugins_; }
  const std::vector<RefusedPlugin>& refused() const { return refused_; }
  const std::vector<Candidate>& ignored() const { return ignored_; }
  std::vector<std::string> kind_names() const;  // sorted, each once

 private:
  std::vector<FoundPlugin> plugins_;
  std::vector<RefusedPlugin> refused_;
  std::vector<Candidate> ignored_;
};

}  // namespace diopter::host
