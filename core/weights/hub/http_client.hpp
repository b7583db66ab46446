// One HTTP exchange at a time, by libcurl: what a server answered, or in which way it failed to. No retries, no
// redirects: those are decided above. Every wait is bounded by the request's limits and ends with an interrupt.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weights/hub/hub_settings.hpp"

namespace diopter::hub {

enum class Method { Head, Get };

// How an exchange ended. Complete: headers and the whole body are here, whatever the status says.
enum class Ending {
  Complete,
  NoConnection,  // name, connection or TLS handshake failed
  BadServer,     // its certificate is not trusted: trying again does not help
  Silent,        // a limit of time passed
  Broken,        // reset, closed or cut in the middle
  TooLarge,      // more than most_bytes
  Refused,       // on_body said no
  Interrupted,   // base::interrupted()
};

struct HttpReply {
  Ending ending = Ending::Complete;
  int status = 0;                                   // 0: no header arrived
  std::map<std::string, std::string> headers = {};  // names in lower case; the last of equal names
  std::string body = {};                            // of a request without on_body, and of every status that is not 2xx
  std::string reason = {};                          // libcurl's words when not Complete
  std::string url = {};                             // that was asked
  std::string header(const std::string& name) const;  // "" when there is none
};

struct HttpRequest {
  Method method = Method::Get;
  std::string url;
  std::optional<std::string> bearer = {};  // "Authorization: Bearer ..."
  std::optional<std::uint64_t> from = {};  // "Range: bytes=FROM-"
  int connect_seconds = 10;
  int total_seconds = 0;              // 0: as long as bytes arrive
  int silence_seconds = 10;           // ended when fewer than 100 bytes a second arrived for so long
  std::size_t most_bytes = 1u << 20;  // of `body`
  // Each piece of a 2xx body, with the reply's status and headers; false ends the exchange as Refused. What it throws
  // comes out of send().
  std::function<bool(const HttpReply&, std::string_view)> on_body = {};
};

// One thread of a process (SIGPIPE is ignored during a request); connections are kept between requests.
class HttpClient {
 public:
  explicit HttpClient(const HubSettings& settings);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpReply send(const HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// A redirect's target, absolute; "" for a location that is no http(s) address.
std::string absolute_url(const std::string& base, const std::string& location);
std::string origin_of(const std::string& url);  // "https://host:443"; "" when it is no address

}  // namespace diopter::hub
