#include "core/store/spool_story.hpp"

#include <algorithm>
#include <fstream>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "store/segment_reader.hpp"

namespace diopter::testing {
namespace {
namespace fs = std::filesystem;
using store::Json;

void put(const fs::path& file, std::string_view bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class SegmentText {
 public:
  SegmentText(const Story& story, std::int64_t number, std::int64_t first_n, const Json& at) : n_(first_n), at_(at) {
    line({{"t", "segment"}, {"v", 1}, {"batch", story.batch}, {"writer", story.writer}, {"segment", number}});
  }
  void group(const std::vector<Json>& records) {
    for (const Json& record : records) {
      at_ = record.at("at");
      line(record);
    }
    line({{"t", "commit"}});
  }
  std::string sealed() {
    line({{"t", "seal"}, {"records", records_}, {"sha256", base::sha256(text_)}});
    return text_;
  }
  std::int64_t next_n() const { return n_; }

 private:
  void line(Json record) {
    record["n"] = n_++;
    record["at"] = at_;
    if (record.at("t") != "seal") ++records_;
    text_ += store::spool_line(record.dump());
  }

  std::int64_t n_, records_ = 0;
  Json at_;
  std::string text_;
};

}  // namespace

Story read_story(const fs::path& directory) {
  Story story{.batch = directory.parent_path().filename().string(), .writer = directory.filename().string()};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (file.extension() != ".jsonl") {
      story.payloads.emplace_back(file.filename().string(), base::read_file(file));
      continue;
    }
    for (const store::Group& group : store::read_sealed_segment(base::read_file(file)).groups) {
      auto& records = story.groups.emplace_back();
      for (const store::Record& record : group) records.push_back(record.body);
    }
  }
  return story;
}

std::vector<Parcel> cut(const Story& story, const std::vector<bool>& seal_after) {
  std::vector<Parcel> out;
  std::int64_t n = 1;
  for (std::size_t at = 0; at < story.groups.size();) {
    const auto number = static_cast<std::int64_t>(out.size()) + 1;
    SegmentText segment(story, number, n, story.groups[at].front().at("at"));
    bool more = true;
    while (more) {
      segment.group(story.groups[at]);
      more = at + 1 < story.groups.size() && !seal_after.at(at);
      ++at;
    }
    out.push_back({story.writer, store::sealed_segment_name(number), segment.sealed(), true});
    n = segment.next_n();
  }
  return out;
}

void deliver(const fs::path& batch_spool, const Parcel& parcel) {
  const fs::path file = batch_spool / parcel.writer / parcel.name;
  put(file, parcel.bytes);
  if (parcel.is_segment) fs::remove(fs::path(file).replace_extension(".open"));
}

void deliver_torn(const fs::path& batch_spool, const Parcel& parcel, std::size_t keep, bool sealed) {
  fs::path file = batch_spool / parcel.writer / parcel.name;
  if (!sealed) file.replace_extension(".open");
  put(file, std::string_view(parcel.bytes).substr(0, keep));
}

}  // namespace diopter::testing
