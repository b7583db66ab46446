#include "exec/spool_segment.hpp"

#include <fcntl.h>

#include <cerrno>

#include "base/hash.hpp"
#include "store/spool_format.hpp"

namespace diopter::exec {

SpoolSegment::SpoolSegment(SpoolIo& io, std::filesystem::path directory, std::string batch, std::string writer)
    : io_(io), directory_(std::move(directory)), batch_(std::move(batch)), writer_(std::move(writer)) {}

SpoolSegment::~SpoolSegment() {
  if (fd_ >= 0) io_.close(fd_);
}

std::filesystem::path SpoolSegment::open_path() const { return directory_ / store::open_segment_name(number_); }

void SpoolSegment::append_line(const std::string& type, std::int64_t now_us, const std::string& members) {
  std::string json = "{\"t\":\"" + type + "\",\"n\":" + std::to_string(next_n_++) + ",\"at\":" + std::to_string(now_us);
  if (!members.empty()) json += ',' + members;
  json += '}';
  bytes_ += store::spool_line(json);
  ++records_;
}

void SpoolSegment::start(std::int64_t now_us) {
  oldest_us_ = now_us;
  append_line(
      "segment", now_us,
      "\"v\":1,\"batch\":\"" + batch_ + "\",\"writer\":\"" + writer_ + "\",\"segment\":" + std::to_string(number_));
}

void SpoolSegment::add(const std::vector<SpoolRecord>& group, const std::string& run, std::int64_t now_us) {
  if (bytes_.empty()) start(now_us);
  for (const SpoolRecord& record : group) append_line(record.type, now_us, record.members);
  append_line("commit", now_us, run.empty() ? std::string() : "\"run\":\"" + run + '"');
}

IoResult SpoolSegment::flush() { return bytes_.empty() ? IoResult{} : write_all(); }

// At explicit offsets: what a failed or short write left behind is overwritten by the next try.
IoResult SpoolSegment::write_all() {
  if (fd_ < 0) {
    fd_ = io_.open(open_path().c_str(), O_WRONLY | O_CREAT);
    if (fd_ < 0) return {errno};
  }
  while (written_ < bytes_.size()) {
    const ssize_t n =
        io_.write_at(fd_, bytes_.data() + written_, bytes_.size() - written_, static_cast<off_t>(written_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {n < 0 ? errno : EIO};
    written_ += static_cast<std::size_t>(n);
  }
  return {};
}

IoResult SpoolSegment::try_seal() {
  if (const IoResult result = write_all(); !result) return result;
  if (io_.truncate(fd_, static_cast<off_t>(bytes_.size())) != 0) return {errno};  // of an earlier try that was longer
  if (io_.sync(fd_) != 0) {
    const int error = errno;
    written_ = 0;  // the kernel may have dropped the pages it could not write
    return {error};
  }
  if (io_.rename(open_path().c_str(), (directory_ / store::sealed_segment_name(number_)).c_str()) != 0) return {errno};
  return {};
}

// Somebody gave this writer up and took its file, or deleted the whole directory. Everything is still in memory.
void SpoolSegment::start_over() {
  if (fd_ >= 0) io_.close(fd_);
  fd_ = -1;
  written_ = 0;
  std::error_code ignored;
  std::filesystem::create_directories(directory_, ignored);
}

IoResult SpoolSegment::seal(std::int64_t now_us) {
  if (bytes_.empty()) return {};
  const std::size_t body = bytes_.size();
  const std::int64_t records = records_, n = next_n_;
  append_line("seal", now_us, "\"records\":" + std::to_string(records) + ",\"sha256\":\"" + base::sha256(bytes_) + '"');
  IoResult result = try_seal();
  if (result.error == ENOENT) {
    start_over();
    result = try_seal();
  }
  if (!result) {
    bytes_.resize(body);  // not sealed: records may follow, and another seal
    written_ = std::min(written_, body);
    records_ = records;
    next_n_ = n;
    if (fd_ >= 0)
      (void)io_.truncate(fd_, static_cast<off_t>(written_));  // else a reader finds a torn tail, which it drops
    return result;
  }
  io_.close(fd_);
  fd_ = -1;
  bytes_.clear();
  written_ = 0;
  records_ = 0;
  ++number_;
  // The segment is sealed and visible; that its name survives a power loss is worth a try and no failure.
  const int directory = io_.open(directory_.c_str(), O_RDONLY | O_DIRECTORY);
  if (directory >= 0) {
    (void)io_.sync(directory);
    io_.close(directory);
  }
  return {};
}

}  // namespace diopter::exec
