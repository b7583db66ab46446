#include "weights/hub/hub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "weights/hub/repo_file_name.hpp"
#include "weights/hub/retry.hpp"

namespace diopter::hub {
namespace {

using base::Exit;
using base::UserError;

constexpr int kMostRedirects = 10;
constexpr std::size_t kLargestList = 32u << 20;  // 200,000 names
constexpr int kListSeconds = 6;                  // times the patience for an answer: a long list is more than a header

bool is_redirect(const HttpReply& reply) {
  const int s = reply.status;
  const bool moved = s == 301 || s == 302 || s == 303 || s == 307 || s == 308;
  return reply.ending == Ending::Complete && moved && !reply.header("location").empty();
}

// Where a redirect leads; only what is safe to follow.
std::string target_of(const HttpReply& reply) {
  const std::string target = absolute_url(reply.url, reply.header("location"));
  if (target.empty())
    refuse_answer("expected a redirect to an http address, got " + beginning_of(reply.header("location")), reply);
  if (reply.url.starts_with("https://") && !target.starts_with("https://"))
    refuse_answer("expected a redirect to an https address, got " + beginning_of(target), reply);
  return target;
}

std::optional<std::uint64_t> size_of(const HttpReply& reply) {
  std::string text = reply.header("x-linked-size");
  if (text.empty() && !is_redirect(reply)) text = reply.header("content-length");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

Hub::Hub(const HubSettings& settings, std::optional<Token> token)
    : settings_(settings), token_(std::move(token)), client_(settings) {}

Question Hub::question(const HubId& id, const std::string& file) const {
  return {.settings = settings_, .id = id, .token_origin = token_ ? token_->origin : "", .file = file};
}

std::string Hub::file_url(const HubId& id, const std::string& commit, const std::string& name) const {
  return settings_.endpoint + "/" + id.repo + "/resolve/" + commit + "/" + url_path(name);
}

HttpReply Hub::follow(HttpRequest request, Follow where) {
  const std::string home = origin_of(settings_.endpoint);
  std::map<std::string, std::string> earlier;
  for (int hop = 0; hop <= kMostRedirects; ++hop) {
    request.bearer = token_ && origin_of(request.url) == home ? std::optional(token_->secret) : std::nullopt;
    HttpReply reply = client_.send(request);
    for (const auto& [name, value] : earlier) reply.headers.emplace(name, value);
    if (!is_redirect(reply)) return reply;
    const std::string target = target_of(reply);
    if (where == Follow::SameOrigin && origin_of(target) != origin_of(request.url)) return reply;
    for (const auto& [name, value] : reply.headers) {
      if (name.starts_with("x-")) earlier[name] = value;
    }
    request.url = target;
  }
  throw UserError(Exit::Refused,
                  fmt::format("more than {} redirects in a row, the last to {}", kMostRedirects, request.url),
                  "check HF_ENDPOINT and the proxy", "hub.redirect");
}

HttpReply Hub::ask(const HttpRequest& request, Follow where, const Question& question) {
  Retry retry(settings_);
  for (;;) {
    HttpReply reply = follow(request, where);
    const bool good =
        reply.ending == Ending::Complete && ((reply.status >= 200 && reply.status < 300) || is_redirect(reply));
    if (good) return reply;
    if (!may_pass(reply) || !retry.again(reply)) refuse(reply, question);
  }
}

Listing Hub::list(const HubId& id) {
  const HttpRequest request{
      .url = settings_.endpoint + "/api/models/" + id.repo + "/revision/" + url_component(id.revision),
      .connect_seconds = settings_.metadata_seconds,
      .total_seconds = settings_.metadata_seconds * kListSeconds,
      .silence_seconds = settings_.metadata_seconds,
      .most_bytes = kLargestList};
  return parse_listing(ask(request, Follow::Everywhere, question(id, "")));
}

RemoteFile Hub::describe(const HubId& id, const std::string& commit, const std::string& name) {
  const HttpRequest request{.method = Method::Head,
                            .url = file_url(id, commit, name),
                            .connect_seconds = settings_.metadata_seconds,
                            .total_seconds = settings_.metadata_seconds,
                            .silence_seconds = settings_.metadata_seconds};
  const HttpReply reply = ask(request, Follow::SameOrigin, question(id, name));
  const std::string there = reply.header("x-repo-commit");
  if (!there.empty() && there != commit)
    refuse_answer(fmt::format("expected '{}' of commit {}, got it of {}", name, commit, beginning_of(there)), reply);
  std::string etag = reply.header("x-linked-etag");
  if (etag.empty() && !is_redirect(reply)) etag = reply.header("etag");
  const auto hash = hash_of_etag(etag);
  if (!hash) {
    refuse_answer(fmt::format("expected the SHA-256 or git's SHA-1 of '{}' as its ETag, got {}", name,
                              etag.empty() ? "none" : "'" + beginning_of(etag) + "'"),
                  reply);
  }
  return {.name = name, .hash = *hash, .bytes = size_of(reply)};
}

HttpReply Hub::open(const HubId& id, const std::string& commit, const std::string& name, std::uint64_t from,
                    const OnBody& on_body) {
  return follow({.url = file_url(id, commit, name),
                 .from = from > 0 ? std::optional(from) : std::nullopt,
                 .connect_seconds = settings_.silence_seconds,
                 .silence_seconds = settings_.silence_seconds,
                 .on_body = on_body},
                Follow::Everywhere);
}

}  // namespace diopter::hub
