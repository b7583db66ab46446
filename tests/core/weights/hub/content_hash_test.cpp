#include "weights/hub/content_hash.hpp"

#include <gtest/gtest.h>

#include "core/base/temporary_folder.hpp"

namespace diopter::hub {
namespace {

using Kind = ContentHash::Kind;
class ContentHashOf : public base::TemporaryFolder {};

TEST_F(ContentHashOf, EqualsGitAndSha256sum) {  // git hash-object, sha256sum
  put("empty", "");
  put("hello", "hello\n");
  put("large", std::string(3'000'000, 'x'));
  EXPECT_EQ(hash_of_file(folder_ / "empty", Kind::GitBlob), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(hash_of_file(folder_ / "hello", Kind::GitBlob), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(hash_of_file(folder_ / "large", Kind::GitBlob), "42ec5fc0f485f764cdf0eaa85ab061c055f5f518");
  EXPECT_EQ(hash_of_file(folder_ / "empty", Kind::Sha256),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of_file(folder_ / "large", Kind::Sha256),
            "e55b8bdf621ddaa8f462c74745db9680d3bb7536a9cf854f8d6668b34a287890");
}

TEST(Etag, OnlyHashesAreTaken) {
  const std::string sha(64, 'a'), git(40, 'b');
  EXPECT_EQ(hash_of_etag('"' + sha + '"')->kind, Kind::Sha256);
  EXPECT_EQ(hash_of_etag("W/\"" + git + '"')->hex, git);
  for (const std::string& etag :
       {std::string(), std::string("\""), std::string("\"\""), std::string(63, 'a'), std::string(64, 'A'),
        std::string("../x"), '"' + sha, sha + "/", std::string(32, 'a')})
    EXPECT_FALSE(hash_of_etag(etag)) << etag;
}

}  // namespace
}  // namespace diopter::hub
