#include "engine/sweep_journal.hpp"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/hash.hpp"

namespace diopter::engine {
namespace {

template <class T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Reads what put() wrote; `ok` is false once the bytes do not suffice.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T take() {
    T value{};
    const std::string_view from = take(sizeof(T));
    if (ok) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::string_view take(std::uint64_t size) {
    ok = ok && size <= rest_.size();
    if (!ok) return {};
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  bool empty() const { return rest_.empty(); }
  bool ok = true;

 private:
  std::string_view rest_;
};

// [size][crc32c][payload]
std::string record(std::string_view payload) {
  std::string out;
  put(out, static_cast<std::uint64_t>(payload.size()));
  put(out, base::crc32c(payload));
  return out.append(payload);
}

std::optional<std::string_view> next_record(Bytes& bytes) {
  const auto size = bytes.take<std::uint64_t>();
  const auto checksum = bytes.take<std::uint32_t>();
  const std::string_view payload = bytes.take(size);
  if (!bytes.ok || base::crc32c(payload) != checksum) return std::nullopt;
  return payload;
}

std::string payload_of(Index batch, Index first, Index end, const ChunkResult& result) {
  std::string out;
  put(out, batch), put(out, first), put(out, end), put(out, result.operations);
  put(out, static_cast<std::uint64_t>(result.values.size()));
  put(out, static_cast<std::uint64_t>(result.skips.size()));
  for (const at::Tensor& values : result.values)
    out.append(static_cast<const char*>(values.const_data_ptr()), static_cast<std::size_t>(values.nbytes()));
  for (const Skip skip : result.skips) put(out, skip);
  out.append(result.unchanged.begin(), result.unchanged.end());
  return out.append(result.broken.begin(), result.broken.end());
}

}  // namespace

SweepJournal::SweepJournal(std::filesystem::path file, std::string identity, std::chrono::milliseconds first_write)
    : file_(std::move(file)),
      identity_(std::move(identity)),
      first_write_(std::chrono::steady_clock::now() + first_write) {
  if (!file_.empty()) read();
}

SweepJournal::~SweepJournal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SweepJournal::read() {
  std::ifstream in(file_, std::ios::binary);
  if (!in) return;
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  Bytes bytes(all);
  const auto head = next_record(bytes);
  if (!head || *head != identity_) return;
  good_ = record(identity_).size();
  while (!bytes.empty()) {
    const auto payload = next_record(bytes);
    if (!payload) return;
    Bytes part(*payload);
    const auto batch = part.take<Index>(), first = part.take<Index>(), end = part.take<Index>();
    Kept kept{.end = end, .result = {}};
    kept.result.operations = part.take<double>();
    const auto metrics = part.take<std::uint64_t>(), pairs = part.take<std::uint64_t>();
    const Index cells = end - first;
    if (!part.ok || cells <= 0 || pairs % static_cast<std::uint64_t>(cells) != 0) return;
    const auto prompts = static_cast<Index>(pairs) / cells;
    for (std::uint64_t m = 0; m < metrics; ++m) {
      at::Tensor values = at::empty({cells, prompts}, at::kDouble);
      const std::string_view from = part.take(static_cast<std::uint64_t>(values.nbytes()));
      if (!part.ok) return;
      std::memcpy(values.mutable_data_ptr(), from.data(), from.size());
      kept.result.values.push_back(std::move(values));
    }
    for (std::uint64_t i = 0; i < pairs; ++i) kept.result.skips.push_back(part.take<Skip>());
    for (auto* flags : {&kept.result.unchanged, &kept.result.broken}) {
      const std::string_view from = part.take(static_cast<std::uint64_t>(cells));
      flags->assign(from.begin(), from.end());
    }
    if (!part.ok || !part.empty()) return;
    known_.insert_or_assign({batch, first}, std::move(kept));
    good_ += record(*payload).size();
  }
}

const SweepJournal::Kept* SweepJournal::find(Index batch, Index first) const {
  const auto found = known_.find({batch, first});
  return found == known_.end() ? nullptr : &found->second;
}

void SweepJournal::add(Index batch, Index first, Index end, const ChunkResult& result) {
  if (file_.empty()) return;
  const std::lock_guard lock(mutex_);
  if (!failure_.empty()) return;
  pending_ += record(payload_of(batch, first, end, result));
  if (std::chrono::steady_clock::now() < first_write_) return;
  write(std::exchange(pending_, {}));
}

void SweepJournal::write(const std::string& bytes) {
  const auto fail = [this](const char* what) {
    failure_ = fmt::format("finished cells are not kept, so a killed sweep would begin anew: cannot {} {}: {}", what,
                           file_.string(), std::strerror(errno));
  };
  if (descriptor_ < 0) {
    std::error_code ignored;  // open() says it
    std::filesystem::create_directories(file_.parent_path(), ignored);
    descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0 || ::ftruncate(descriptor_, static_cast<off_t>(good_)) != 0 ||
        ::lseek(descriptor_, 0, SEEK_END) < 0)
      return fail("open");
    if (good_ == 0) return write(record(identity_) + bytes);
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail("write");
    done += static_cast<std::size_t>(wrote);
  }
  good_ += bytes.size();
}

std::optional<std::string> SweepJournal::failure() {
  const std::lock_guard lock(mutex_);
  if (failure_.empty() || failure_ == "told") return std::nullopt;
  return std::exchange(failure_, "told");
}

}  // namespace diopter::engine
