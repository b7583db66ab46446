#include "weights/hub/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <csignal>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/utf8.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/retry.hpp"

namespace diopter::hub {
namespace {

using base::Exit;
using base::UserError;

[[noreturn]] void say(const std::string& what, const std::string& help, const std::string& id) {
  throw UserError(Exit::Refused, what, help, id);
}

// What the hub itself says about it, in a header or as {"error": ...}.
std::string message_of(const HttpReply& reply) {
  std::string text = reply.header("x-error-message");
  if (text.empty()) {
    const base::Json json = base::Json::parse(reply.body, nullptr, false);
    if (json.is_object() && json.contains("error") && json["error"].is_string()) text = json["error"];
  }
  return base::printable(text);
}

std::string in_brackets(const std::string& text) { return text.empty() ? text : " (" + text + ")"; }

bool mentions(std::string text, std::string_view word) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.find(word) != std::string::npos;
}

std::string page_of(const Question& q) { return q.settings.endpoint + "/" + q.id.repo; }

[[noreturn]] void refuse_access(const HttpReply& reply, const Question& q) {
  const std::string message = message_of(reply);
  if (reply.header("x-error-code") == "GatedRepo" || mentions(message, "gated")) {
    say(fmt::format("model '{}' is gated{}", q.id.repo, in_brackets(message)),
        q.token_origin.empty()
            ? fmt::format("accept its licence at {} and set HF_TOKEN to a token of that account", page_of(q))
            : fmt::format("accept its licence at {} with the account of the token in {}", page_of(q), q.token_origin),
        "hub.gated");
  }
  if (!q.token_origin.empty() && (reply.status == 403 || mentions(message, "invalid credentials"))) {
    say(fmt::format("the hub does not accept the token in {} for '{}'{}", q.token_origin, q.id.repo,
                    in_brackets(message)),
        "make a token with read access at " + q.settings.endpoint + "/settings/tokens", "hub.token");
  }
  // The hub hides what a stranger may not see: it answers like this to a misspelt name too.
  say(fmt::format("the hub shows no model '{}' to {}: there is none of this name, or it is private or gated", q.id.repo,
                  q.token_origin.empty() ? "a visitor without a token" : "the token in " + q.token_origin),
      fmt::format("check the name; for a private or gated model open {} and set HF_TOKEN", page_of(q)), "hub.repo");
}

[[noreturn]] void refuse_absent(const HttpReply& reply, const Question& q) {
  const std::string code = reply.header("x-error-code");
  if (code == "RevisionNotFound") {
    say(fmt::format("model '{}' has no revision '{}'", q.id.repo, q.id.revision),
        "its branches and tags: " + page_of(q) + "/refs", "hub.revision");
  }
  if (code == "EntryNotFound" || !q.file.empty()) {
    say(fmt::format("model '{}' has no file '{}' at '{}'", q.id.repo, base::printable(q.file), q.id.revision),
        "its files: " + page_of(q) + "/tree/" + q.id.revision, "hub.file");
  }
  const std::string with_revision = code == "RepoNotFound" || q.id.revision == "main"
                                        ? std::string()
                                        : fmt::format(", or it has no revision '{}'", q.id.revision);
  say(fmt::format("there is no model '{}' on {}{}", q.id.repo, q.settings.endpoint, with_revision),
      "check the name: " + q.settings.endpoint + "/models", "hub.repo");
}

[[noreturn]] void refuse_status(const HttpReply& reply, const Question& q) {
  const std::string message = in_brackets(message_of(reply));
  if (reply.status == 401 || reply.status == 403) refuse_access(reply, q);
  if (reply.status == 404) refuse_absent(reply, q);
  if (reply.status == 429) {
    const auto pause = asked_pause(reply);
    say(fmt::format("the hub asks for fewer questions{}{}",
                    pause ? fmt::format(", and a pause of {:.0f} s", *pause) : "", message),
        q.token_origin.empty() ? "wait a while; with HF_TOKEN set the limits are wider" : "wait a while", "hub.busy");
  }
  if (reply.status >= 500) {
    say(fmt::format("{} has trouble: status {} for {}{}", origin_of(reply.url), reply.status, reply.url, message),
        "run it again later: what was fetched stays", "hub.trouble");
  }
  say(fmt::format("expected success from {}, got status {}{}", reply.url, reply.status, message),
      "check HF_ENDPOINT and the proxy (https_proxy)", "hub.answer");
}

}  // namespace

void refuse_answer(const std::string& what, const HttpReply& reply) {
  say(fmt::format("{}: {}", reply.url, what), "check HF_ENDPOINT, and that no proxy or login page stands in between",
      "hub.answer");
}

void stop_interrupted() {
  const int signal = base::interrupt_signal() > 0 ? base::interrupt_signal() : SIGINT;
  throw UserError(static_cast<Exit>(128 + signal), "stopped by an interrupt", "run it again: what was fetched stays",
                  "interrupted");
}

void stop_if_interrupted() {
  if (base::interrupted()) stop_interrupted();
}

std::string beginning_of(const std::string& body) {
  return base::printable(base::replace_invalid_utf8(body.substr(0, body.find('\n'))), 60);
}

void refuse(const HttpReply& reply, const Question& q) {
  stop_if_interrupted();
  const std::string server = origin_of(reply.url);
  switch (reply.ending) {
    case Ending::Interrupted: stop_interrupted();
    case Ending::Complete: refuse_status(reply, q);
    case Ending::NoConnection:
      say(fmt::format("cannot reach {}: {}", server, reply.reason),
          "check the network and the proxy (https_proxy); HF_ENDPOINT names a mirror", "hub.network");
    case Ending::BadServer:
      say(fmt::format("cannot trust {}: {}", server, reply.reason),
          "behind a proxy that opens TLS, SSL_CERT_FILE names its certificates", "hub.certificate");
    case Ending::Silent:
      say(fmt::format("{} does not answer in time: {}", server, reply.reason),
          "run it again; HF_HUB_ETAG_TIMEOUT and HF_HUB_DOWNLOAD_TIMEOUT are the seconds of patience", "hub.network");
    case Ending::Broken:
      say(fmt::format("the connection to {} broke off: {}", server, reply.reason),
          "run it again: what was fetched stays", "hub.network");
    case Ending::TooLarge:
      say(fmt::format("the answer of {} is too large to be right", reply.url), "check HF_ENDPOINT and the proxy",
          "hub.answer");
    case Ending::Refused: break;
  }
  base::internal_error(__FILE__, __LINE__, "a refused transfer was not explained");
}

}  // namespace diopter::hub
