#include "weights/hub/transfer.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "weights/hub/retry.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

// How often a transfer may break after having gained something: 14 GB in pieces of 100 MB still pass.
constexpr int kMostResumptions = 200;

// "bytes 100-199/200" -> 100
std::optional<std::uint64_t> range_start(const std::string& content_range) {
  if (!content_range.starts_with("bytes ")) return std::nullopt;
  std::uint64_t value = 0;
  const char* first = content_range.data() + 6;
  const auto [end, error] = std::from_chars(first, content_range.data() + content_range.size(), value);
  return error == std::errc() && end != first ? std::optional(value) : std::nullopt;
}

class Transfer {
 public:
  Transfer(Hub& hub, const HubSettings& settings, const HubId& id, const std::string& commit, const RemoteFile& file,
           PartialFile& partial, const std::function<void(std::uint64_t)>& arrived)
      : hub_(hub), id_(id), commit_(commit), file_(file), partial_(partial), arrived_(arrived), retry_(settings) {}

  // Until the last byte is here.
  void run() {
    if (file_.bytes && partial_.size() > *file_.bytes) partial_.restart();
    while (!file_.bytes || partial_.size() < *file_.bytes) {
      const std::uint64_t before = partial_.size();
      const HttpReply reply = attempt();
      if (is_whole(reply)) return;
      go_on(reply, before);
    }
  }

 private:
  enum class Fault { None, Range, TooLong };

  HttpReply attempt() {
    fault_ = Fault::None;
    begun_ = false;
    HttpReply reply = hub_.open(id_, commit_, file_.name, partial_.size(),
                                [this](const HttpReply& head, std::string_view bytes) { return take(head, bytes); });
    if (fault_ == Fault::TooLong) refuse_size();
    if (fault_ == Fault::Range || (reply.ending == Ending::Complete && reply.status == 416)) {
      partial_.restart();  // the next attempt asks for the whole
      reply.ending = Ending::Broken;
      reply.reason = "the range that was asked for is not the one that came";
    }
    return reply;
  }

  bool take(const HttpReply& head, std::string_view bytes) {
    if (!begun_ && head.status == 206 && range_start(head.header("content-range")) != partial_.size()) {
      fault_ = Fault::Range;
      return false;
    }
    if (!begun_ && head.status != 206 && partial_.size() > 0) partial_.restart();  // ranges are not known there
    begun_ = true;
    if (file_.bytes && partial_.size() + bytes.size() > *file_.bytes) {
      fault_ = Fault::TooLong;
      return false;
    }
    partial_.append(bytes);
    arrived_(partial_.size());
    return true;
  }

  // Without a size told beforehand the end of the answer is the end of the content.
  bool is_whole(const HttpReply& reply) const {
    const bool good = reply.ending == Ending::Complete && (reply.status == 200 || reply.status == 206);
    return good && (!file_.bytes || partial_.size() == *file_.bytes);
  }

  void go_on(HttpReply reply, std::uint64_t before) {
    if (reply.ending == Ending::Complete && reply.status >= 200 && reply.status < 300) {
      reply.ending = Ending::Broken;  // an answer without Content-Length ends wherever the connection does
      reply.reason = fmt::format("'{}' ended after {} of {} bytes", file_.name, partial_.size(), *file_.bytes);
    }
    if (partial_.size() > before && ++resumptions_ < kMostResumptions) retry_.gained();
    if (!may_pass(reply) || !retry_.again(reply)) refuse(reply, hub_.question(id_, file_.name));
  }

  [[noreturn]] void refuse_size() {
    partial_.remove();
    throw UserError(
        Exit::Refused,
        fmt::format("expected {} bytes of '{}', got more; nothing of it was kept", *file_.bytes, file_.name),
        "run it again; if it stays so, check the proxy and HF_ENDPOINT", "hub.size");
  }

  Hub& hub_;
  const HubId& id_;
  const std::string& commit_;
  const RemoteFile& file_;
  PartialFile& partial_;
  const std::function<void(std::uint64_t)>& arrived_;
  Retry retry_;
  Fault fault_ = Fault::None;
  bool begun_ = false;  // the first piece of this attempt was taken
  int resumptions_ = 0;
};

}  // namespace

Start fetch_content(Hub& hub, const HubSettings& settings, const HubId& id, const std::string& commit,
                    const RemoteFile& file, const fs::path& blob, const std::function<void(std::uint64_t)>& arrived) {
  PartialFile partial(blob.string() + ".incomplete");
  const Start start = partial.size() > 0 ? Start::Resumed : Start::Fresh;
  std::string got;
  for (int round = 0; round < 2; ++round) {
    Transfer(hub, settings, id, commit, file, partial, arrived).run();
    // Read back: what is checked is what the disk has, whoever wrote the first part of it.
    got = hash_of_file(partial.path(), file.hash.kind);
    if (got == file.hash.hex) {
      partial.place(blob);
      return start;
    }
    partial.restart();
  }
  partial.remove();
  throw UserError(Exit::Refused,
                  fmt::format("expected {} {} of '{}', got {}, twice; nothing of it was kept", file.hash.kind_name(),
                              file.hash.hex, file.name, got),
                  "run it again; if it stays so, something between here and the hub changes files", "hub.checksum");
}

}  // namespace diopter::hub
