// The cache of models on this machine, in huggingface_hub's layout, so that either program reads what the other wrote:
//   CACHE/models--ORG--NAME/blobs/ETAG              contents, named by their hash
//   CACHE/models--ORG--NAME/snapshots/COMMIT/FILE   a relative link into blobs
//   CACHE/models--ORG--NAME/refs/REVISION           the commit a branch or tag had when it was pulled
//   CACHE/.locks/models--ORG--NAME/ETAG.lock        flock: who fetches this content
// Reading only: nothing here writes or needs a network.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weights/hub/hub_id.hpp"

namespace diopter::hub {

struct RepoFolders {
  std::filesystem::path root, blobs, snapshots, refs, locks;
};
RepoFolders repo_folders(const std::filesystem::path& cache, const std::string& repo);

// The commit that the cache has for a revision: a commit is itself, a branch or tag is looked up in refs. Nothing when
// it was never pulled. UserError(Refused) for a reference that holds no commit.
std::optional<std::string> cached_commit(const RepoFolders& folders, const std::string& revision);

struct Snapshot {
  std::string commit;
  std::filesystem::path folder;
};

// The files without which the model of this folder cannot be loaded, by name: config.json, the weights, or those shards
// of its index that are not there (or are links to nothing). Empty: complete.
std::vector<std::string> missing_files(const std::filesystem::path& folder);

// The folder of a model that was pulled before. UserError(Refused), each with the command that mends it: never pulled
// ("hub.missing"), or pulled only in part ("hub.partial").
Snapshot find_snapshot(const std::filesystem::path& cache, const HubId& id);

// "gpt2" or "gpt2@v1": what a person writes.
std::string written(const HubId& id);

}  // namespace diopter::hub
