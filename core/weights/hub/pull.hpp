// A model of the hub, brought into the cache of this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "weights/hub/hub_id.hpp"
#include "weights/hub/hub_settings.hpp"

namespace diopter::hub {

enum class Arrival { Here, Fetched, Resumed };  // was here before, came now, came now after an earlier beginning

struct PulledFile {
  std::string name;
  std::uint64_t bytes = 0;
  Arrival arrival = Arrival::Here;
};

struct Pulled {
  std::string commit;
  std::filesystem::path folder;   // the snapshot: what a model's folder is
  std::vector<PulledFile> files;  // by name
};

struct PullRequest {
  HubId id;
  std::vector<std::string> include;  // empty: model_files_of(), else matching_files()
};

// Files that are there are not fetched again; each new one is placed whole or not at all, and the revision's reference
// is written last, so that an interrupted pull changes nothing for who reads. Any number of processes at once,
// huggingface_hub among them. Without a network (HF_HUB_OFFLINE) a complete snapshot is reported, else refused.
// UserError: see hub.hpp, transfer.hpp, blob_lock.hpp; "hub.no_model" for a repository without config.json or weights.
Pulled pull_model(const HubSettings& settings, const PullRequest& request);

}  // namespace diopter::hub
