// Files and directories that travel beside the records: from the writer's spool directory into artifacts/ of the store.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diopter::store {

// "01K...3.1.safetensors" or "notes/log.txt": relative, no "..", no empty part, not hidden behind a link of its own.
// BadSegment otherwise: a spool is outside data.
std::filesystem::path checked_relative(std::string_view path);

// The path of an artifact, relative to the store.
std::filesystem::path artifact_path(std::string_view run_id, std::string_view name);

struct Payload {
  std::filesystem::path from, to;  // absolute
  std::string sha256;              // of a directory: base::sha256_tree
  bool directory = false;
};

// A rename, or copy + fsync + rename across file systems; parents are created and fsynced. When `to` is there with the
// same hash, nothing is done (another ingest was faster, or died between this and its commit). BadSegment when neither
// is there or the hash differs; UserError(Store) when the disk refuses.
void move_payload(const Payload& payload);

}  // namespace diopter::store
