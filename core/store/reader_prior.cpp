// What the store knows about fingerprints, for planning and resuming.
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

bool files_are_there(Connection& db, const fs::path& store, std::int64_t seq) {
  Statement at = db.prepare("SELECT path, bytes FROM artifact WHERE run_seq = ?");
  for (at.bind(seq); at.step();) {
    const fs::path file = store / at.text(0);
    std::error_code error;
    if (fs::is_directory(file, error)) continue;  // bytes of a directory is the sum of its files: too slow to ask here
    const auto size = fs::file_size(file, error);
    if (error || static_cast<std::int64_t>(size) != at.integer(1)) return false;
  }
  return true;
}

}  // namespace

std::map<std::string, std::string> Reader::succeeded(const std::vector<std::string>& fingerprints) const {
  const ReadTransaction view(*db_);
  std::map<std::string, std::string> out;
  for (const std::string& fingerprint : fingerprints) {
    Statement at = db_->prepare(
        "SELECT seq, id FROM run WHERE fingerprint = ? AND status = 'succeeded' AND deleted_at_us IS NULL"
        " ORDER BY started_at_us DESC, seq DESC");
    for (at.bind(fingerprint); at.step();) {
      if (!files_are_there(*db_, store_, at.integer(0))) continue;
      out.emplace(fingerprint, at.text(1));
      break;
    }
  }
  return out;
}

std::map<std::string, PriorRun> Reader::last_attempts(const std::vector<std::string>& fingerprints) const {
  const ReadTransaction view(*db_);
  std::map<std::string, PriorRun> out;
  for (const std::string& fingerprint : fingerprints) {
    Statement at = db_->prepare(
        "SELECT id, status, attempt FROM run WHERE fingerprint = ? ORDER BY started_at_us DESC, seq DESC LIMIT 1");
    if (at.bind(fingerprint).step()) out.emplace(fingerprint, PriorRun{at.text(0), at.text(1), at.integer(2)});
  }
  return out;
}

}  // namespace diopter::store
