#include "weights/hub/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <exception>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace diopter::hub {
namespace {

constexpr long kSlowest = 100;                    // bytes a second
constexpr std::size_t kErrorBody = 64u << 10;     // of a status that is not 2xx: enough for its message
constexpr std::size_t kMostHeaders = 256u << 10;  // bytes; a server without end would fill the memory

using Clock = std::chrono::steady_clock;

struct Exchange {
  const HttpRequest& request;
  HttpReply reply;
  std::size_t header_bytes = 0;
  std::optional<Ending> stopped = {};     // why a callback ended it
  std::exception_ptr thrown = {};         // by on_body: it must not fly through libcurl's C
  curl_off_t seen = 0;                    // bytes of the body
  Clock::time_point last = Clock::now();  // when a byte arrived
  bool good() const { return reply.status >= 200 && reply.status < 300; }
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// "HTTP/1.1 200 OK": a reply begins (after "100 Continue" another one).
void begin_reply(Exchange& exchange, std::string_view line) {
  exchange.reply.headers.clear();
  const std::size_t blank = line.find(' ');
  exchange.reply.status = 0;
  for (std::size_t i = blank + 1; blank != std::string_view::npos && i < line.size() && std::isdigit(line[i]); ++i)
    exchange.reply.status = exchange.reply.status * 10 + (line[i] - '0');
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  const std::string_view line(data, size * count);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kMostHeaders) {
    exchange.stopped = Ending::TooLarge;
    return 0;
  }
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) begin_reply(exchange, line);
  else if (colon != std::string_view::npos)
    exchange.reply.headers[lower(std::string(line.substr(0, colon)))] = trimmed(line.substr(colon + 1));
  return line.size();
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  const std::string_view piece(data, size * count);
  if (exchange.good() && exchange.request.on_body) {
    try {
      if (exchange.request.on_body(exchange.reply, piece)) return piece.size();
    } catch (...) {
      exchange.thrown = std::current_exception();
    }
    exchange.stopped = Ending::Refused;
    return 0;
  }
  const std::size_t most = exchange.good() ? exchange.request.most_bytes : kErrorBody;
  if (exchange.reply.body.size() + piece.size() > most) {
    exchange.stopped = Ending::TooLarge;
    return 0;
  }
  exchange.reply.body += piece;
  return piece.size();
}

// Called at least once a second. libcurl's own limit of speed is a mean over some seconds: after a fast beginning it
// takes long to notice a silence.
int watch(void* to, curl_off_t, curl_off_t now, curl_off_t, curl_off_t) {
  auto& exchange = *static_cast<Exchange*>(to);
  if (now != exchange.seen) {
    exchange.seen = now;
    exchange.last = Clock::now();
  }
  if (base::interrupted()) exchange.stopped = Ending::Interrupted;
  else if (Clock::now() - exchange.last > std::chrono::seconds(exchange.request.silence_seconds))
    exchange.stopped = Ending::Silent;
  return exchange.stopped ? 1 : 0;
}

std::string reason_of(CURLcode code, const Exchange& exchange, const char* detail) {
  if (exchange.stopped == Ending::Silent) return fmt::format("no byte for {} s", exchange.request.silence_seconds);
  return *detail ? detail : curl_easy_strerror(code);
}

Ending ending_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return Ending::Complete;
    case CURLE_OPERATION_TIMEDOUT: return Ending::Silent;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR: return Ending::NoConnection;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return Ending::BadServer;
    default: return Ending::Broken;
  }
}

class HeaderList {
 public:
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_, line.c_str());
    DIOPTER_CHECK(longer != nullptr, "no memory for a header");
    list_ = longer;
  }
  ~HeaderList() { curl_slist_free_all(list_); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// OpenSSL writes to a closed connection with write(2): that is an error of the exchange, not the end of the process.
class PipeSignalIgnored {
 public:
  PipeSignalIgnored() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before_);
  }
  ~PipeSignalIgnored() { ::sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

using UrlParts = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

}  // namespace

std::string HttpReply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

struct HttpClient::Handle {
  CURL* curl = nullptr;
  std::optional<std::string> certificates;
  char reason[CURL_ERROR_SIZE] = {};

  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(curl, option, value);
    DIOPTER_CHECK(code == CURLE_OK, std::string("libcurl refuses an option: ") + curl_easy_strerror(code));
  }

  void set_up(const HttpRequest& request, const HeaderList& headers, Exchange& exchange) {
    curl_easy_reset(curl);  // keeps connections
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOBODY, request.method == Method::Head ? 1L : 0L);
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_USERAGENT, "diopter/" DIOPTER_VERSION);
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.connect_seconds));
    set(CURLOPT_TIMEOUT, static_cast<long>(request.total_seconds));
    set(CURLOPT_LOW_SPEED_LIMIT, kSlowest);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silence_seconds));
    set(CURLOPT_ERRORBUFFER, reason);
    set(CURLOPT_HEADERFUNCTION, take_header);
    set(CURLOPT_HEADERDATA, &exchange);
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, &exchange);
    set(CURLOPT_XFERINFOFUNCTION, watch);
    set(CURLOPT_XFERINFODATA, &exchange);
    set(CURLOPT_NOPROGRESS, 0L);
    if (certificates) set(CURLOPT_CAINFO, certificates->c_str());
  }
};

HttpClient::HttpClient(const HubSettings& settings) : handle_(std::make_unique<Handle>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  handle_->curl = curl_easy_init();
  DIOPTER_CHECK(handle_->curl != nullptr, "libcurl could not be started");
  if (settings.certificates) handle_->certificates = settings.certificates->string();
}

HttpClient::~HttpClient() { curl_easy_cleanup(handle_->curl); }

HttpReply HttpClient::send(const HttpRequest& request) {
  HeaderList headers;
  headers.add("Accept-Encoding: identity");  // sizes and ranges are those of the file
  if (request.bearer) headers.add("Authorization: Bearer " + *request.bearer);
  if (request.from) headers.add("Range: bytes=" + std::to_string(*request.from) + "-");
  Exchange exchange{.request = request, .reply = {.url = request.url}};
  handle_->reason[0] = '\0';
  handle_->set_up(request, headers, exchange);
  const CURLcode code = [&] {
    const PipeSignalIgnored quiet;
    return curl_easy_perform(handle_->curl);
  }();
  exchange.reply.ending = exchange.stopped.value_or(ending_of(code));
  if (code != CURLE_OK) exchange.reply.reason = reason_of(code, exchange, handle_->reason);
  // Options point into this call's objects; the handle outlives them.
  curl_easy_reset(handle_->curl);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  return std::move(exchange.reply);
}

std::string absolute_url(const std::string& base, const std::string& location) {
  const UrlParts url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK) return {};
  // Signed addresses are sent back byte for byte; a blank in one is a mistake that browsers mend in this way.
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), CURLU_URLENCODE) != CURLUE_OK) return {};
  const std::string out = part_of(url.get(), CURLUPART_URL, 0);
  return out.starts_with("http://") || out.starts_with("https://") ? out : std::string();
}

std::string origin_of(const std::string& text) {
  const UrlParts url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return {};
  return lower(part_of(url.get(), CURLUPART_SCHEME, 0) + "://" + part_of(url.get(), CURLUPART_HOST, 0)) + ":" +
         part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

}  // namespace diopter::hub
