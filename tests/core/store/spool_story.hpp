// What writers said, taken apart into groups, so that the same story can be cut into segments anywhere and delivered in
// any order.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "store/spool_format.hpp"

namespace diopter::testing {

struct Story {
  std::string batch, writer;
  std::vector<std::vector<store::Json>> groups;
  std::vector<std::pair<std::string, std::string>> payloads;  // file name and bytes
};

// A file on its way into a writer's directory: a sealed segment or a payload.
struct Parcel {
  std::string writer, name, bytes;
  bool is_segment = false;
};

// Of a writer whose directory holds sealed segments and payload files.
Story read_story(const std::filesystem::path& writer_directory);

// `seal_after[i]`: a segment ends after group i; the last group always ends one. Record numbers are given anew.
std::vector<Parcel> cut(const Story& story, const std::vector<bool>& seal_after);

// Whole or, with `keep` < its size, torn. Directories are made where ingest cleaned up.
void deliver(const std::filesystem::path& batch_spool, const Parcel& parcel);
void deliver_torn(const std::filesystem::path& batch_spool, const Parcel& parcel, std::size_t keep, bool sealed);

}  // namespace diopter::testing
