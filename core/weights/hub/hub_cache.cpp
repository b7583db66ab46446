#include "weights/hub/hub_cache.hpp"

#include <algorithm>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hints.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);  // follows the link into blobs
}

std::string folder_name(std::string repo) {
  const std::size_t slash = repo.find('/');
  if (slash != std::string::npos) repo.replace(slash, 1, "--");
  return "models--" + repo;
}

// Shards that the index names and the folder lacks; the index itself when it cannot be understood.
std::vector<std::string> missing_shards(const fs::path& index) {
  const base::Json json = base::Json::parse(base::read_file(index), nullptr, false);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    return {index.filename().string()};
  std::vector<std::string> out;
  for (const auto& shard : json["weight_map"]) {
    if (shard.is_string() && !is_there(index.parent_path() / shard.get<std::string>())) out.push_back(shard);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool is_weights(const std::string& name) {
  return name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth");
}

bool has_any_weights(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_weights(entry.path().filename().string()) && is_there(entry.path())) return true;
  }
  return false;
}

}  // namespace

RepoFolders repo_folders(const fs::path& cache, const std::string& repo) {
  const std::string name = folder_name(repo);
  const fs::path root = cache / name;
  return {root, root / "blobs", root / "snapshots", root / "refs", cache / ".locks" / name};
}

std::optional<std::string> cached_commit(const RepoFolders& folders, const std::string& revision) {
  if (is_commit(revision)) return revision;
  const fs::path file = folders.refs / revision;
  if (!is_there(file)) return std::nullopt;
  std::string commit = base::read_file(file);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r' || commit.back() == ' ')) commit.pop_back();
  if (is_commit(commit)) return commit;
  throw UserError(
      Exit::Refused,
      "expected a commit in " + file.string() + ", got " + std::to_string(commit.size()) + " bytes that are none",
      "remove the file and pull the model again", "hub.ref");
}

std::vector<std::string> missing_files(const fs::path& folder) {
  std::vector<std::string> out;
  if (!is_there(folder / "config.json")) out.push_back("config.json");
  if (is_there(folder / "model.safetensors")) return out;
  for (const char* index : {"model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    if (!is_there(folder / index)) continue;
    for (std::string& shard : missing_shards(folder / index)) out.push_back(std::move(shard));
    return out;
  }
  if (!has_any_weights(folder)) out.push_back("the weights");
  return out;
}

std::string written(const HubId& id) { return id.revision == "main" ? id.repo : id.repo + "@" + id.revision; }

Snapshot find_snapshot(const fs::path& cache, const HubId& id) {
  const std::string name = written(id);
  const RepoFolders folders = repo_folders(cache, id.repo);
  const auto commit = cached_commit(folders, id.revision);
  std::error_code ignored;
  if (!commit || !fs::is_directory(folders.snapshots / *commit, ignored)) {
    throw UserError(Exit::Refused,
                    "model '" + name + "' is not on this machine; diopter model pull " + name + ", or give a directory",
                    "models lie in " + cache.string() + " (HF_HUB_CACHE, HF_HOME)", "hub.missing");
  }
  Snapshot out{*commit, folders.snapshots / *commit};
  const std::vector<std::string> missing = missing_files(out.folder);
  if (missing.empty()) return out;
  const std::size_t more = missing.size() > 3 ? missing.size() - 3 : 0;
  std::vector<std::string> shown(missing.begin(), missing.end() - static_cast<std::ptrdiff_t>(more));
  if (more > 0) shown.push_back(std::to_string(more) + " more");
  throw UserError(Exit::Refused,
                  "model '" + name + "' is on this machine only in part: " + out.folder.string() + " lacks " +
                      base::join(shown) + "; diopter model pull " + name,
                  "what is there already is not fetched again", "hub.partial");
}

}  // namespace diopter::hub
