#include "weights/hub/pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/progress.hpp"
#include "weights/hub/blob_lock.hpp"
#include "weights/hub/file_choice.hpp"
#include "weights/hub/hub.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/transfer.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

constexpr int kLockPatience = 12;  // times the patience for a silent server, which the other process also has

bool is_blob(const fs::path& blob, const RemoteFile& file) {
  std::error_code error;
  if (!fs::is_regular_file(blob, error)) return false;
  return !file.bytes || (fs::file_size(blob, error) == *file.bytes && !error);
}

// The tag by which backup programs know a cache (bford.info/cachedir).
void tag_cache(const fs::path& cache) {
  const fs::path tag = cache / "CACHEDIR.TAG";
  std::error_code ignored;
  if (fs::exists(tag, ignored)) return;
  base::write_file_atomically(tag,
                              "Signature: 8a477f597d28d172789f06886806bc55\n"
                              "# This folder holds models of the Hugging Face hub; they can be fetched again.\n");
}

class Pull {
 public:
  Pull(const HubSettings& settings, const PullRequest& request)
      : settings_(settings),
        request_(request),
        folders_(repo_folders(settings.cache, request.id.repo)),
        hub_(settings, hub_token(settings)),
        progress_(settings.progress_bar == ProgressBar::Hidden, base::ProgressUnit::Bytes) {}

  Pulled run() {
    const Listing listing = hub_.list(request_.id);
    std::vector<RemoteFile> files;
    for (const std::string& name : chosen(listing)) files.push_back(hub_.describe(request_.id, listing.commit, name));
    prepare(files);
    Pulled out{.commit = listing.commit, .folder = folders_.snapshots / listing.commit, .files = {}};
    for (const RemoteFile& file : files) out.files.push_back(bring(file, out));
    if (!is_commit(request_.id.revision)) write_reference(listing.commit);
    progress_.finish();
    return out;
  }

 private:
  std::vector<std::string> chosen(const Listing& listing) const {
    if (!request_.include.empty()) return matching_files(listing.names, request_.include);
    std::vector<std::string> names = model_files_of(listing.names);
    const bool config = std::find(names.begin(), names.end(), "config.json") != names.end();
    const auto is_weights = [](const std::string& name) {
      return name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".pt") ||
             name.ends_with(".pth");
    };
    if (config && std::any_of(names.begin(), names.end(), is_weights)) return names;
    throw UserError(
        Exit::Refused,
        fmt::format("expected a model with config.json and weights (safetensors or PyTorch), but '{}' has no {} "
                    "among its {} files",
                    written(request_.id), config ? "weights" : "config.json", listing.names.size()),
        fmt::format("look at {}/{}; --include GLOB fetches any of its files", settings_.endpoint, request_.id.repo),
        "hub.no_model");
  }

  fs::path blob_of(const RemoteFile& file) const { return folders_.blobs / file.hash.hex; }

  // Folders, and room for what is still to come.
  void prepare(const std::vector<RemoteFile>& files) {
    std::set<std::string> counted;
    std::uint64_t needed = 0;
    for (const RemoteFile& file : files) {
      total_ += static_cast<std::int64_t>(file.bytes.value_or(0));
      if (!file.bytes || is_blob(blob_of(file), file) || !counted.insert(file.hash.hex).second) continue;
      std::error_code error;
      const std::uintmax_t part = fs::file_size(blob_of(file).string() + ".incomplete", error);
      needed += error || part > *file.bytes ? *file.bytes : *file.bytes - part;
    }
    base::make_directories(folders_.blobs);
    base::make_directories(folders_.snapshots);
    base::make_directories(folders_.locks);
    tag_cache(settings_.cache);
    check_free_space(folders_.blobs, needed);
  }

  PulledFile bring(const RemoteFile& file, const Pulled& pulled) {
    const fs::path blob = blob_of(file), link = pulled.folder / file.name;
    PulledFile out{.name = file.name, .bytes = 0, .arrival = Arrival::Here};
    std::error_code error;
    const bool linked = is_blob(blob, file) && fs::equivalent(link, blob, error) && !error;
    if (!linked) {
      const BlobLock lock(folders_.locks / (file.hash.hex + ".lock"), blob, settings_.silence_seconds * kLockPatience,
                          [&] { show(0, "waiting for another pull of " + file.name); });
      if (!is_blob(blob, file)) {  // asked again: another process may have brought it
        const Start start = fetch_content(hub_, settings_, request_.id, pulled.commit, file, blob,
                                          [&](std::uint64_t here) { show(here, file.name); });
        out.arrival = start == Start::Resumed ? Arrival::Resumed : Arrival::Fetched;
      }
      place_link(link, blob);
    }
    out.bytes = fs::file_size(blob);
    done_ += static_cast<std::int64_t>(out.bytes);
    return out;
  }

  void write_reference(const std::string& commit) const {
    const fs::path file = folders_.refs / request_.id.revision;
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored) && base::read_file(file) == commit) return;
    base::make_directories(file.parent_path());
    base::write_file_atomically(file, commit);
  }

  void show(std::uint64_t here, const std::string& what) {
    progress_.update(written(request_.id), done_ + static_cast<std::int64_t>(here), total_, what);
  }

  const HubSettings& settings_;
  const PullRequest& request_;
  RepoFolders folders_;
  Hub hub_;
  base::Progress progress_;
  std::int64_t done_ = 0, total_ = 0;
};

Pulled without_network(const HubSettings& settings, const PullRequest& request) {
  Snapshot snapshot;
  try {
    snapshot = find_snapshot(settings.cache, request.id);
  } catch (const UserError& missing) {
    const std::string what = missing.what();
    throw UserError(Exit::Refused, "HF_HUB_OFFLINE forbids to fetch anything, and " + what.substr(0, what.find(';')),
                    "unset HF_HUB_OFFLINE (and TRANSFORMERS_OFFLINE), or pull on a machine with a network and copy " +
                        settings.cache.string(),
                    "hub.offline");
  }
  Pulled out{.commit = snapshot.commit, .folder = snapshot.folder, .files = {}};
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(snapshot.folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(snapshot.folder).string());
  }
  std::sort(names.begin(), names.end());
  if (!request.include.empty()) names = matching_files(names, request.include);
  for (const std::string& name : names)
    out.files.push_back({.name = name, .bytes = fs::file_size(snapshot.folder / name), .arrival = Arrival::Here});
  return out;
}

}  // namespace

Pulled pull_model(const HubSettings& settings, const PullRequest& request) {
  if (settings.network == Network::Off) return without_network(settings, request);
  return Pull(settings, request).run();
}

}  // namespace diopter::hub
