// The files of a revision, as the hub lists them: {"sha": COMMIT, "siblings": [{"rfilename": NAME}, ...]}.
#pragma once

#include <string>
#include <vector>

#include "weights/hub/http_client.hpp"

namespace diopter::hub {

struct Listing {
  std::string commit;              // 40 hex digits
  std::vector<std::string> names;  // sorted, each once, each checked by check_file_name
};

// UserError(Refused): "hub.answer" for a body that is no such list, "hub.file_name" for a name that is no plain path.
Listing parse_listing(const HttpReply& reply);

}  // namespace diopter::hub
