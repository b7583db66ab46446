#include "weights/hub/listing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/canonical_json.hpp"
#include "weights/hub/hub_id.hpp"
#include "weights/hub/refusal.hpp"
#include "weights/hub/repo_file_name.hpp"

namespace diopter::hub {

using base::Json;

Listing parse_listing(const HttpReply& reply) {
  const Json json = Json::parse(reply.body, nullptr, false);
  if (!json.is_object() || !json.contains("sha") || !json.contains("siblings")) {
    refuse_answer(
        fmt::format("expected the list of a model's files in JSON, got {} that begins '{}'",
                    reply.header("content-type").empty() ? "text" : beginning_of(reply.header("content-type")),
                    beginning_of(reply.body)),
        reply);
  }
  Listing out;
  if (!json["sha"].is_string() || !is_commit(json["sha"].get_ref<const std::string&>()))
    refuse_answer("expected a commit of 40 hex digits as 'sha', got " + beginning_of(base::plain_json(json["sha"])),
                  reply);
  out.commit = json["sha"];
  for (const Json& file : json["siblings"]) {
    if (!file.is_object() || !file.contains("rfilename") || !file["rfilename"].is_string())
      refuse_answer("expected objects with 'rfilename' as 'siblings', got " + beginning_of(base::plain_json(file)),
                    reply);
    out.names.push_back(file["rfilename"]);
    check_file_name(out.names.back());
  }
  std::sort(out.names.begin(), out.names.end());
  out.names.erase(std::unique(out.names.begin(), out.names.end()), out.names.end());
  return out;
}

}  // namespace diopter::hub
