// The directory of one writer, as ingest sees it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/ingest.hpp"
#include "store/liveness.hpp"

namespace diopter::store {

class WriterSpool {
 public:
  WriterSpool(Store& store, std::filesystem::path batch_spool, std::string writer_id, IngestReport& report);

  // Sealed segments first; then, when the writer's death is proven (by `proof`, or by looking at its process), what its
  // open segment holds; its unfinished runs become crashed.
  void ingest(const std::optional<std::string>& proof = {});

 private:
  void take_sealed();
  bool take(const std::filesystem::path& file, std::int64_t number, bool sealed);
  void take_open();
  void take_again(const std::filesystem::path& file, std::int64_t number);
  void bury(const std::string& proof);
  std::optional<std::string> find_proof();
  std::optional<ProcessIdentity> identity_from_open_segment() const;
  void move_to_done(const std::filesystem::path& file);
  void report_problem(const std::filesystem::path& file, const std::string& message);

  Store& store_;
  std::filesystem::path batch_spool_, directory_;
  std::string writer_id_, batch_id_;
  IngestReport& report_;
  bool stopped_ = false;  // a gap or a bad segment: nothing after it counts
};

}  // namespace diopter::store
