// An environment of the test's own: the hub's variables are unset, and come back at the end.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "core/base/temporary_folder.hpp"

namespace diopter::hub {

class HubEnvironment : public base::TemporaryFolder {
 protected:
  HubEnvironment() { clear(); }
  ~HubEnvironment() override {
    for (const auto& [name, value] : before_) {
      if (value) ::setenv(name.c_str(), value->c_str(), 1);
      else ::unsetenv(name.c_str());
    }
  }

  void set(const std::string& name, const std::string& value) {
    remember(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  // As in a new shell, with the test's folder as home.
  void clear() {
    for (const char* name :
         {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
          "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS",
          "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "DIOPTER_HUB_ATTEMPTS",
          "DIOPTER_HUB_PAUSE"}) {
      remember(name);
      ::unsetenv(name);
    }
    set("HOME", folder_.string());
  }

 private:
  void remember(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    before_.emplace(name, value ? std::optional<std::string>(value) : std::nullopt);
  }

  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace diopter::hub
