// What the environment says about the hub: the variables of huggingface_hub, with its precedence, so that both programs
// agree on where a model lies. An empty variable counts as not set.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace diopter::hub {

enum class Network { Allowed, Off };
enum class ProgressBar { Shown, Hidden };

struct HubSettings {
  std::filesystem::path cache;  // HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub,
                                // ~/.cache/huggingface/hub
  std::filesystem::path token_file;               // HF_TOKEN_PATH, HF_HOME/token
  std::string endpoint;                           // HF_ENDPOINT without a '/' at its end, else https://huggingface.co
  Network network = Network::Allowed;             // HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE: Off
  ProgressBar progress_bar = ProgressBar::Shown;  // HF_HUB_DISABLE_PROGRESS_BARS: Hidden
  int metadata_seconds = 10;                      // HF_HUB_ETAG_TIMEOUT: for a question to the hub to be answered
  int silence_seconds = 10;                       // HF_HUB_DOWNLOAD_TIMEOUT: without bytes during a download
  int attempts = 5;                               // DIOPTER_HUB_ATTEMPTS: in a row, without a byte gained
  double pause_seconds = 1;                       // DIOPTER_HUB_PAUSE: before the second attempt; then doubled
  std::optional<std::filesystem::path> certificates;  // SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE
};

// UserError(Usage) for a number that is none, an endpoint that is no http(s) address, or no home directory to be found.
HubSettings hub_settings();

struct Token {
  std::string secret;
  std::string origin;  // "HF_TOKEN" or the file, for messages
};

// HF_TOKEN, HUGGING_FACE_HUB_TOKEN, then the token file; nothing with HF_HUB_DISABLE_IMPLICIT_TOKEN. UserError(Usage)
// for a token file that cannot be read and for a token that no HTTP header could carry.
std::optional<Token> hub_token(const HubSettings& settings);

}  // namespace diopter::hub
