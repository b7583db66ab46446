#include "base/hash.hpp"

#include <gmock/gmock.h>

#include "refusal.hpp"
#include "temporary_folder.hpp"

namespace diopter::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Sha256, KnownValues) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsEqualTheWhole) { EXPECT_EQ(Sha256().update("ab").update("").update("c").hex(), sha256("abc")); }

TEST(Crc32c, CheckValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(hex8(0xe3069283u), "e3069283");
  EXPECT_EQ(hex8(0xau), "0000000a");
}

using HashFiles = TemporaryFolder;

TEST_F(HashFiles, FileHashIsThatOfItsBytes) {
  const std::string content(3'000'000, 'x');
  put("big", content);
  put("empty", "");
  EXPECT_EQ(sha256_file(folder_ / "big"), sha256(content));
  EXPECT_EQ(sha256_file(folder_ / "empty"), sha256(""));
  EXPECT_THAT(refusal(Exit::Usage, [&] { sha256_file(folder_ / "none"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(refusal(Exit::Usage, [&] { sha256_file(folder_); }), HasSubstr("Is a directory"));
}

TEST_F(HashFiles, TreeHashFollowsItsDefinition) {
  put("b", "second");
  put("a/x", "first");
  put("a.txt", "third");  // '.' sorts before '/'
  fs::create_directories(folder_ / "empty");
  const std::string text = std::string("diopter.tree/1\n") + "a.txt" + '\0' + sha256("third") + "\n" + "a/x" + '\0' +
                           sha256("first") + "\n" + "b" + '\0' + sha256("second") + "\n";
  EXPECT_EQ(sha256_tree(folder_), sha256(text));
  EXPECT_EQ(sha256_tree(folder_.string() + "/"), sha256(text));
}

TEST_F(HashFiles, LinksCountUnderTheirOwnName) {
  put("blobs/0123", "weights");
  put("plain/model", "weights");
  put("plain/sub/part", "weights");
  fs::create_directories(folder_ / "linked");
  fs::create_symlink("../blobs/0123", folder_ / "linked/model");
  fs::create_directory_symlink("../plain/sub", folder_ / "linked/sub");
  EXPECT_EQ(sha256_tree(folder_ / "linked"), sha256_tree(folder_ / "plain"));
}

TEST_F(HashFiles, TreeRefusesWhatItCannotRead) {
  fs::create_symlink("nowhere", folder_ / "dangling");
  EXPECT_THAT(refusal(Exit::Usage, [&] { sha256_tree(folder_); }), HasSubstr("dangling is not a regular file"));
  fs::remove(folder_ / "dangling");
  fs::create_directory_symlink(".", folder_ / "circle");
  EXPECT_THAT(refusal(Exit::Usage, [&] { sha256_tree(folder_); }), HasSubstr(folder_.string()));
  EXPECT_THAT(refusal(Exit::Usage, [&] { sha256_tree(folder_ / "none"); }), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace diopter::base
