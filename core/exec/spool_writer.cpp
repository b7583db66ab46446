#include "exec/spool_writer.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/ulid.hpp"
#include "base/utf8.hpp"
#include "store/liveness.hpp"
#include "store/optional_json.hpp"
#include "store/spool_format.hpp"

namespace diopter::exec {
namespace {

Json clean(const Json& value) {
  if (value.is_string()) return base::escape_invalid_utf8(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  Json out = value.is_object() ? Json::object() : Json::array();
  for (const auto& [key, item] : value.items()) {
    if (value.is_object()) out[base::escape_invalid_utf8(key)] = clean(item);
    else out.push_back(clean(item));
  }
  return out;
}

Json opened_body(const SpoolOptions& options) {
  const store::ProcessIdentity here = store::this_process();
  return {{"host", here.host},
          {"boot_id", store::or_null(here.boot_id)},
          {"pid", here.pid},
          {"pid_start", store::or_null(here.pid_start)},
          {"pid_ns", store::or_null(here.pid_ns)},
          {"scheduler", store::or_null(options.scheduler)},
          {"scheduler_job", store::or_null(options.scheduler_job)},
          {"restart_count", options.restart_count}};
}

std::size_t length_of(const std::vector<SpoolRecord>& group) {
  constexpr std::size_t kFrame = 120;  // checksum, type, number, time
  std::size_t out = 2 * kFrame;
  for (const SpoolRecord& record : group) out += record.members.size() + kFrame;
  return out;
}

}  // namespace

std::string members_of(const Json& object) {
  const std::string text = base::plain_json(clean(object));
  return text.substr(1, text.size() - 2);
}

SpoolWriter::SpoolWriter(std::filesystem::path batch_spool, SpoolOptions options)
    : batch_id_(batch_spool.filename().string()), writer_id_(base::new_ulid()), options_(std::move(options)) {
  directory_ = batch_spool / writer_id_;
  if (!options_.io) options_.io = std::make_shared<SpoolIo>();
  if (!options_.on_trouble) {
    options_.on_trouble = [](const std::string& what) { std::fprintf(stderr, "warning: %s\n", what.c_str()); };
  }
  base::make_directories(directory_);
  segment_ = std::make_unique<SpoolSegment>(*options_.io, directory_, batch_id_, writer_id_);
  last_beat_us_ = base::now_us();
  append({{"writer_opened", members_of(opened_body(options_))}});
  if (options_.background) thread_ = std::thread([this] { tick(); });
}

SpoolWriter::~SpoolWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const std::size_t left = segment_->size();
  if (const IoResult result = segment_->seal(base::now_us()); !result) {
    options_.on_trouble("cannot write " + segment_->open_path().string() + ": " + base::errno_text(result.error) +
                        "; " + std::to_string(left) + " bytes of results are lost");
  }
}

void SpoolWriter::append(const std::vector<SpoolRecord>& group, const std::string& run) {
  std::unique_lock lock(mutex_);
  DIOPTER_CHECK(!closed_, "a record came after the writer was closed");
  if (!segment_->has_room(length_of(group))) {
    const IoResult result = segment_->seal(base::now_us());
    if (!result) refuse(result.error);
  }
  const std::int64_t now = base::now_us();
  segment_->add(group, run, now);
  const bool full = segment_->size() >= store::kSegmentBytes;
  note(full ? segment_->seal(now) : segment_->flush(), lock);
}

void SpoolWriter::fact(const std::string& type, const Json& body) { append({{type, members_of(body)}}); }

void SpoolWriter::seal() {
  const std::lock_guard lock(mutex_);
  if (const IoResult result = segment_->seal(base::now_us()); !result) refuse(result.error);
}

void SpoolWriter::close(WriterEnd end) {
  append({{"writer_closed", end == WriterEnd::Closed ? "\"kind\":\"closed\"" : "\"kind\":\"requeued\""}});
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (const IoResult result = segment_->seal(base::now_us()); !result) refuse(result.error);
}

void SpoolWriter::refuse(int error) const {
  throw base::UserError(base::Exit::Store,
                        "cannot write " + segment_->open_path().string() + ": " + base::errno_text(error) + "; " +
                            std::to_string(segment_->unwritten()) + " bytes of results are in memory only",
                        error == ENOSPC ? "free some space, or give another place with --spool DIR" : "",
                        "spool.write");
}

// Called with the lock; the callback runs without it.
void SpoolWriter::note(IoResult result, std::unique_lock<std::mutex>& lock) {
  const bool trouble = !result;
  if (trouble == in_trouble_) return;
  in_trouble_ = trouble;
  const std::string path = segment_->open_path().string();
  lock.unlock();
  options_.on_trouble(trouble ? "cannot write " + path + ": " + base::errno_text(result.error) +
                                    "; results wait in memory (at most 64 MiB)"
                              : "the spool can be written again");
}

void SpoolWriter::tick() {
  using std::chrono::duration_cast, std::chrono::microseconds;
  const auto pause =
      std::min(std::chrono::milliseconds(250), std::max(std::chrono::milliseconds(10), options_.seal_interval / 4));
  const std::int64_t interval = duration_cast<microseconds>(options_.seal_interval).count();
  const std::int64_t beat = duration_cast<microseconds>(options_.heartbeat).count();
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, pause);
    if (stop_ || closed_) continue;
    const std::int64_t now = base::now_us();
    const bool beats = now - last_beat_us_ >= beat;
    if (beats && segment_->has_room(1000)) {
      last_beat_us_ = now;
      segment_->add({{"heartbeat", ""}}, "", now);
    }
    if (segment_->empty() || (!beats && now - segment_->oldest_us() < interval)) continue;
    note(segment_->seal(now), lock);
    if (!lock.owns_lock()) lock.lock();
  }
}

void SpoolWriter::write_payload(const std::string& name, const std::vector<std::string_view>& parts) {
  SpoolIo& io = *options_.io;
  const std::filesystem::path file = directory_ / name, temporary = file.string() + ".tmp";
  int fd = -1;
  const auto check = [&](bool good) {
    if (good) return;
    const int error = errno;
    if (fd >= 0) io.close(fd);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw base::UserError(base::Exit::Store, "cannot write " + file.string() + ": " + base::errno_text(error),
                          error == ENOSPC ? "free some space, or give another place with --spool DIR" : "",
                          "spool.write");
  };
  fd = io.open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
  if (fd < 0 && errno == ENOENT) {  // somebody deleted the directory
    base::make_directories(directory_);
    fd = io.open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
  }
  check(fd >= 0);
  off_t offset = 0;
  for (std::string_view part : parts) {
    while (!part.empty()) {
      const ssize_t n = io.write_at(fd, part.data(), part.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) errno = EIO;
      check(n > 0);
      part.remove_prefix(static_cast<std::size_t>(n));
      offset += n;
    }
  }
  check(io.sync(fd) == 0);
  const int closing = fd;
  fd = -1;
  check(io.close(closing) == 0);
  check(io.rename(temporary.c_str(), file.c_str()) == 0);
  fd = io.open(directory_.c_str(), O_RDONLY | O_DIRECTORY);
  check(fd >= 0);
  check(io.sync(fd) == 0);
  io.close(fd);
}

}  // namespace diopter::exec
