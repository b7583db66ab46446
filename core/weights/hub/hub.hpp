// The questions that a hub answers: what a revision holds, what a file is, its bytes. Failures that may pass are tried
// again where nothing is written (list, describe); open() is one attempt, since the caller keeps what arrived.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/hub/content_hash.hpp"
#include "weights/hub/http_client.hpp"
#include "weights/hub/hub_id.hpp"
#include "weights/hub/hub_settings.hpp"
#include "weights/hub/listing.hpp"
#include "weights/hub/refusal.hpp"

namespace diopter::hub {

struct RemoteFile {
  std::string name;
  ContentHash hash;
  std::optional<std::uint64_t> bytes;
};

// The token goes to the endpoint's own origin only; a redirect elsewhere (the storage behind the hub) is followed
// without it, one from https to http is not followed at all.
class Hub {
 public:
  using OnBody = std::function<bool(const HttpReply&, std::string_view)>;

  Hub(const HubSettings& settings, std::optional<Token> token);

  // GET /api/models/REPO/revision/REVISION. UserError, see refuse(); also for an answer that is no such list.
  Listing list(const HubId& id);
  // HEAD /REPO/resolve/COMMIT/NAME. UserError, see refuse(); also without a hash that the file could be checked by.
  RemoteFile describe(const HubId& id, const std::string& commit, const std::string& name);
  // GET of the same, from byte `from` on when that is not 0. One attempt; failures are in the reply.
  HttpReply open(const HubId& id, const std::string& commit, const std::string& name, std::uint64_t from,
                 const OnBody& on_body);

  Question question(const HubId& id, const std::string& file) const;

 private:
  enum class Follow { SameOrigin, Everywhere };
  // X-... headers of earlier answers are kept unless a later one has them too.
  HttpReply follow(HttpRequest request, Follow where);
  HttpReply ask(const HttpRequest& request, Follow where, const Question& question);
  std::string file_url(const HubId& id, const std::string& commit, const std::string& name) const;

  const HubSettings& settings_;
  std::optional<Token> token_;
  HttpClient client_;
};

}  // namespace diopter::hub
