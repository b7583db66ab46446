#include "weights/hub/hub_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/refusal.hpp"
#include "core/weights/hub/settings_fixture.hpp"

namespace diopter::hub {
namespace {

using ::testing::HasSubstr;

TEST_F(HubEnvironment, EmptyVariablesCountAsNotSet) {
  for (const char* name : {"HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"})
    set(name, "");
  const HubSettings settings = hub_settings();
  EXPECT_EQ(settings.cache, folder_ / ".cache/huggingface/hub");
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.network, Network::Allowed);
  EXPECT_FALSE(hub_token(settings));
}

TEST_F(HubEnvironment, MistakesHaveASentence) {
  const auto refused = [&](const std::string& name, const std::string& value) {
    clear();
    set(name, value);
    return base::refusal(base::Exit::Usage, [] { hub_token(hub_settings()); });
  };
  for (const char* value : {"ftp://x", "huggingface.co", "https://user@host", "https://h/?q", "https://a b"})
    EXPECT_THAT(refused("HF_ENDPOINT", value), HasSubstr("address in HF_ENDPOINT")) << value;
  for (const char* value : {"0", "-1", "1.5", "ten", "99999999999999"})
    EXPECT_THAT(refused("HF_HUB_ETAG_TIMEOUT", value), HasSubstr("expected a number from 1 to 3600")) << value;
  for (const char* value : {"-1", "nan", "inf", "61"})
    EXPECT_THAT(refused("DIOPTER_HUB_PAUSE", value), HasSubstr("DIOPTER_HUB_PAUSE")) << value;
  EXPECT_THAT(refused("HF_TOKEN", "two words"), HasSubstr("expected an access token in HF_TOKEN"));
  set("HF_TOKEN_PATH", folder_.string());
  set("HF_TOKEN", "");
  EXPECT_THAT(base::refusal(base::Exit::Usage, [] { hub_token(hub_settings()); }), HasSubstr("it is a directory"));
}

TEST_F(HubEnvironment, TheTokenMayBeForbidden) {
  set("HF_TOKEN", "hf_x");
  EXPECT_EQ(hub_token(hub_settings())->origin, "HF_TOKEN");
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_FALSE(hub_token(hub_settings()));
}

}  // namespace
}  // namespace diopter::hub
