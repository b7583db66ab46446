#include "weights/hub/hub_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/refusal.hpp"
#include "core/base/temporary_folder.hpp"

namespace diopter::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kCommit(40, 'c');

class HubCache : public base::TemporaryFolder {
 protected:
  // A snapshot of links into blobs, as a pull leaves it.
  void place(const std::string& name, const std::string& content) {
    put("models--org--tiny/blobs/" + name, content);
    const fs::path link = folder_ / "models--org--tiny/snapshots" / kCommit / name;
    fs::create_directories(link.parent_path());
    fs::create_symlink("../../blobs/" + name, link);
  }
  std::string refused(const std::string& id) {
    return base::refusal(base::Exit::Refused, [&] { find_snapshot(folder_, parse_hub_id(id)); });
  }
};

TEST_F(HubCache, FindsBranchesAndCommits) {
  place("config.json", "{}");
  place("model.safetensors", "w");
  put("models--org--tiny/refs/main", kCommit);
  put("models--org--tiny/refs/refs/pr/1", kCommit + "\n");  // an editor's line end does no harm
  for (const std::string& id :
       std::vector<std::string>{"org/tiny", "org/tiny@main", "org/tiny@refs/pr/1", "org/tiny@" + kCommit}) {
    const Snapshot found = find_snapshot(folder_, parse_hub_id(id));
    EXPECT_EQ(found.commit, kCommit) << id;
    EXPECT_EQ(found.folder, folder_ / "models--org--tiny/snapshots" / kCommit) << id;
  }
}

TEST_F(HubCache, WhatWasNeverPulledNamesTheCommand) {
  EXPECT_EQ(refused("gpt2"), "model 'gpt2' is not on this machine; diopter model pull gpt2, or give a directory");
  place("config.json", "{}");
  put("models--org--tiny/refs/main", std::string(40, 'd'));  // a reference without its snapshot
  EXPECT_THAT(refused("org/tiny"), HasSubstr("diopter model pull org/tiny,"));
  EXPECT_THAT(refused("org/tiny@v2"), HasSubstr("diopter model pull org/tiny@v2,"));
}

TEST_F(HubCache, AReferenceHoldsACommit) {
  put("models--org--tiny/refs/main", "../../../etc");
  EXPECT_THAT(refused("org/tiny"), HasSubstr("expected a commit in"));
}

TEST_F(HubCache, APartIsNotAModel) {
  put("models--org--tiny/refs/main", kCommit);
  place("config.json", "{}");
  EXPECT_THAT(refused("org/tiny"), HasSubstr("lacks the weights; diopter model pull org/tiny"));
  place("model.safetensors.index.json",
        R"({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-1.safetensors"}})");
  place("m-1.safetensors", "w");
  EXPECT_THAT(refused("org/tiny"), HasSubstr("lacks m-2.safetensors;"));
  place("m-2.safetensors", "w");
  EXPECT_EQ(find_snapshot(folder_, parse_hub_id("org/tiny")).commit, kCommit);
  fs::remove(folder_ / "models--org--tiny/blobs/m-1.safetensors");  // the link now leads nowhere
  EXPECT_THAT(refused("org/tiny"), HasSubstr("lacks m-1.safetensors;"));
}

TEST_F(HubCache, MissingFilesOfAnyKindOfWeights) {
  EXPECT_THAT(missing_files(folder_), ElementsAre("config.json", "the weights"));
  put("config.json", "{}");
  put("pytorch_model.bin", "w");
  EXPECT_THAT(missing_files(folder_), IsEmpty());
  put("model.safetensors.index.json", "not JSON");
  EXPECT_THAT(missing_files(folder_), ElementsAre("model.safetensors.index.json"));
  put("model.safetensors", "w");
  EXPECT_THAT(missing_files(folder_), IsEmpty());
}

}  // namespace
}  // namespace diopter::hub
