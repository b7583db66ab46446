// What a failed exchange with the hub means, in words that name the remedy.
#pragma once

#include <string>

#include "weights/hub/http_client.hpp"
#include "weights/hub/hub_id.hpp"

namespace diopter::hub {

// What was asked for, for the words.
struct Question {
  const HubSettings& settings;
  const HubId& id;
  std::string token_origin;  // "" when no token was sent
  std::string file;          // "" for the list of files
};

// UserError for a reply that is no success: an interrupt (128 + signal), else Refused with one of the ids hub.gated,
// hub.token, hub.repo, hub.revision, hub.file, hub.busy, hub.trouble, hub.network, hub.certificate, hub.answer.
[[noreturn]] void refuse(const HttpReply& reply, const Question& question);

// UserError(Refused, "hub.answer"): the server at reply.url said what no hub says.
[[noreturn]] void refuse_answer(const std::string& what, const HttpReply& reply);

// UserError(128 + signal) after an interrupt; what was fetched so far stays.
void stop_if_interrupted();
[[noreturn]] void stop_interrupted();

// The first line or so of a body that was not what was expected, for a message.
std::string beginning_of(const std::string& body);

}  // namespace diopter::hub
