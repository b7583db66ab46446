// Seeded mutations of what comes from a hub: a list of files is refused with one sentence, or names files that lie
// below their folder. Texts that pass as ids and revisions name folders below the cache.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "environment.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/listing.hpp"

namespace diopter::hub {
namespace {

namespace fs = std::filesystem;

bool lies_below(const fs::path& path, const fs::path& folder) {
  const fs::path normal = path.lexically_normal();
  return normal == path &&
         std::mismatch(folder.begin(), folder.end(), normal.begin(), normal.end()).first == folder.end() &&
         normal != folder;
}

class HubMutator {
 public:
  explicit HubMutator(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(text);
    return text;
  }
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

 private:
  void mutate(std::string& text) {
    static const std::string kWords[] = {"..",   "/",  "//",   "\\\\",     "\\u0000", "\\n", ".",
                                         "null", "[]", "{}",   "\"",       "\\\"",    "-1",  "1e99",
                                         "--",   "@",  "\xff", "\xc3\xbc", "[[[[",    ",",   ":"};
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.insert(at, kWords[below(std::size(kWords))]); break;
      case 1: text.erase(at, below(8)); break;
      case 2: text.insert(at, text.substr(below(text.size() + 1), below(40))); break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937 random_;
};

TEST(HubFuzz, AListIsRefusedOrNamesFilesBelowItsFolder) {
  const std::string valid =
      R"({"id":"org/tiny","sha":"0123456789abcdef0123456789abcdef01234567","private":false,)"
      R"("siblings":[{"rfilename":"config.json"},{"rfilename":"a/b/model.safetensors"},{"rfilename":"x"}]})";
  ASSERT_EQ(parse_listing({.body = valid, .url = "http://hub"}).names.size(), 3U);
  int accepted = 0, refused = 0;
  const int rounds = tests::fuzz_rounds(20'000);
  for (int i = 0; i < rounds; ++i) {
    const std::string mutant = HubMutator(static_cast<std::uint32_t>(i))(valid);
    try {
      const Listing listing = parse_listing({.body = mutant, .url = "http://hub"});
      ASSERT_TRUE(is_commit(listing.commit)) << mutant;
      for (const std::string& name : listing.names)
        ASSERT_TRUE(lies_below(fs::path("/snapshot") / name, "/snapshot")) << mutant;
      ++accepted;
    } catch (const base::UserError& error) {
      ASSERT_EQ(error.exit(), base::Exit::Refused) << mutant;
      ASSERT_LT(std::string(error.what()).size(), 1000U);
      ASSERT_FALSE(base::invalid_utf8_offset(error.what())) << mutant;
      ++refused;
    }
  }
  std::printf("%d lists: %d accepted, %d refused\n", rounds, accepted, refused);
  EXPECT_GT(accepted, rounds / 50);
  EXPECT_GT(refused, rounds / 50);
}

TEST(HubFuzz, WhatPassesAsAnIdLiesBelowTheCache) {
  int accepted = 0;
  const int rounds = tests::fuzz_rounds(50'000);
  for (int i = 0; i < rounds; ++i) {
    HubMutator mutate(static_cast<std::uint32_t>(i));
    const auto id = as_hub_id(mutate("org/tiny-model_1.5@refs/pr/1"));
    if (!id) continue;
    ++accepted;
    const RepoFolders folders = repo_folders("/cache", id->repo);
    ASSERT_EQ(folders.root.parent_path(), "/cache") << id->repo;
    ASSERT_TRUE(lies_below(folders.refs / id->revision, folders.refs)) << id->revision;
  }
  std::printf("%d texts: %d are ids\n", rounds, accepted);
  EXPECT_GT(accepted, rounds / 50);
}

}  // namespace
}  // namespace diopter::hub
