// Ids, environment, patterns and ETags as huggingface_hub understands them.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "core/weights/hub/settings_fixture.hpp"
#include "peers/python_peer.hpp"
#include "weights/hub/content_hash.hpp"
#include "weights/hub/file_choice.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/hub_settings.hpp"

namespace diopter::hub {
namespace {

using base::Json;

class HubPeer : public HubEnvironment {
 protected:
  void SetUp() override {
    const auto folder = peers::oracle("hub");
    if (folder.empty()) GTEST_SKIP() << peers::missing_oracle("hub");
    expected_ = Json::parse(base::read_file(folder / "hub.json"));
  }
  Json expected_;
};

TEST_F(HubPeer, IdsAndTheirFolders) {
  int valid = 0;
  for (const Json& one : expected_["ids"]) {
    const std::string text = one["text"];
    const auto id = as_hub_id(text);
    EXPECT_EQ(id.has_value(), one["valid"].get<bool>()) << text;
    if (!id) continue;
    EXPECT_EQ(repo_folders("/c", id->repo).root, std::filesystem::path("/c") / one["folder"].get<std::string>());
    ++valid;
  }
  std::printf("%zu ids, %d of them valid, as huggingface_hub has them\n", expected_["ids"].size(), valid);
  EXPECT_GT(valid, 100);
}

TEST_F(HubPeer, TheEnvironment) {
  for (const Json& one : expected_["environments"]) {
    clear();
    for (const auto& [name, value] : one["environment"].items()) set(name, value);
    const Json& theirs = one["settings"];
    const HubSettings ours = hub_settings();
    const auto token = hub_token(ours);
    const std::string where = one["environment"].dump();
    EXPECT_EQ(ours.cache.string(), theirs["cache"].get<std::string>()) << where;
    EXPECT_EQ(ours.token_file.string(), theirs["token_file"].get<std::string>()) << where;
    EXPECT_EQ(ours.endpoint, theirs["endpoint"].get<std::string>()) << where;
    EXPECT_EQ(ours.network == Network::Off, theirs["offline"].get<bool>()) << where;
    EXPECT_EQ(ours.progress_bar == ProgressBar::Shown, theirs["progress"].get<bool>()) << where;
    EXPECT_EQ(ours.metadata_seconds, theirs["etag_seconds"].get<int>()) << where;
    EXPECT_EQ(ours.silence_seconds, theirs["silence_seconds"].get<int>()) << where;
    EXPECT_EQ(token ? Json(token->secret) : Json(), theirs["token"]) << where;
  }
  std::printf("%zu environments\n", expected_["environments"].size());
}

TEST_F(HubPeer, Patterns) {
  for (const Json& one : expected_["patterns"]) {
    const std::vector<std::string> names = one["names"], theirs = one["matching"];
    if (theirs.empty()) {
      EXPECT_THROW(matching_files(names, {one["pattern"]}), base::UserError) << one["pattern"];
    } else {
      EXPECT_EQ(matching_files(names, {one["pattern"]}), theirs) << one["pattern"];
    }
  }
}

TEST_F(HubPeer, Etags) {
  for (const Json& one : expected_["etags"]) {
    const auto hash = hash_of_etag(one["header"].get<std::string>());
    ASSERT_TRUE(hash) << one["header"];
    EXPECT_EQ(hash->hex, one["etag"].get<std::string>());
  }
}

}  // namespace
}  // namespace diopter::hub
