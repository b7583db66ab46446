#include "host/stamp.hpp"

#include <gtest/gtest.h>

#include "core/host/fake_elf.hpp"

namespace diopter::host::test {
namespace {

TEST(ReadStamp, ReadsEveryField) {
  const Folder folder;
  const Stamp stamp = read_stamp(folder.plugin("lens.diopter.so", {.kinds = "kind=lens\tLooks.\nkind=b\tSecond.\n"}));
  EXPECT_EQ(stamp.epoch, 1);
  EXPECT_EQ(stamp.level, 0);
  EXPECT_EQ(stamp.torch, this_host().torch);
  EXPECT_EQ(stamp.id, "org.example.lens");
  EXPECT_EQ(stamp.version, "0.1.0");
  EXPECT_EQ(stamp.kinds, (std::vector<StampKind>{{"lens", "Looks."}, {"b", "Second."}}));
}

TEST(ReadStamp, IgnoresUnknownKeysAndLines) {
  StampText text;
  text.kinds += "future=1\nno equals sign\n";
  EXPECT_EQ(parse_stamp(text.text(), "x").kinds.size(), 1u);
}

struct BadFile {
  const char* name;
  std::string bytes;
  const char* id;
  std::string rest;  // of the sentence, after the path
};

class ReadStampRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(ReadStampRefuses, WithOneSentence) {
  const Folder folder;
  const auto file = folder.write("x.diopter.so", GetParam().bytes);
  const PluginError error = error_of([&] { read_stamp(file); });
  EXPECT_EQ(error.what(), file.string() + GetParam().rest);
  EXPECT_EQ(error.id(), GetParam().id);
  EXPECT_EQ(error.exit(), base::Exit::Refused);
}

std::string changed(std::string bytes, std::size_t at, char value) {
  bytes[at] = value;
  return bytes;
}

const std::string kSound = elf_with_section("diopter", StampText().text());
const std::string kStamp = StampText().text();

INSTANTIATE_TEST_SUITE_P(
    Files, ReadStampRefuses,
    ::testing::Values(
        BadFile{"Empty", "", "plugin.file.empty", " is empty; copy or build it again."},
        BadFile{
            "Text", "#!/bin/sh\n", "plugin.file.text",
            " is not a shared library (it does not start as an ELF file does); build it with diopter_add_plugin()."},
        BadFile{
            "ShortText", "a", "plugin.file.text",
            " is not a shared library (it does not start as an ELF file does); build it with diopter_add_plugin()."},
        BadFile{"HeaderOnly", kSound.substr(0, 20), "plugin.file.truncated",
                " is cut short: its ELF header ends at byte 64 of a 20 byte file; copy or build it again."},
        BadFile{"CutSectionTable", kSound.substr(0, kSound.size() - 1), "plugin.file.truncated",
                " is cut short: its section table ends at byte " + std::to_string(kSound.size()) + " of a " +
                    std::to_string(kSound.size() - 1) + " byte file; copy or build it again."},
        BadFile{"Machine", changed(kSound, 18, static_cast<char>(EM_RISCV)), "plugin.file.machine",
                " was built for RISC-V but this host runs on x86-64; rebuild it on this machine."},
        BadFile{"Class32", changed(kSound, 4, 1), "plugin.file.machine",
                " is not a 64-bit little-endian library, which this host needs; rebuild it on this machine."},
        BadFile{"Executable", changed(kSound, 16, ET_EXEC), "plugin.file.not_shared",
                " is an ELF file but not a shared library; build it with diopter_add_plugin()."},
        BadFile{"Stranger", elf_with_section("text", "x"), "plugin.stamp.stranger",
                " is not a Diopter plugin (it has no 'diopter' section); build it with diopter_add_plugin() and one "
                "DIOPTER_PLUGIN line."},
        BadFile{"Large", elf_with_section("diopter", std::string(65537, 'x')), "plugin.stamp.large",
                " has a 'diopter' section of 65537 bytes, where at most 65536 are allowed; copy or build it again."},
        BadFile{"FirstLine", elf_with_section("diopter", "tessera-plugin\n"), "plugin.stamp.first_line",
                " has a damaged stamp (it starts with 'tessera-plugin'); build it again."},
        BadFile{"Utf8", elf_with_section("diopter", "diopter-plugin\nid=\xff\n"), "plugin.stamp.utf8",
                " has a damaged stamp (byte 18 is not UTF-8); build it again."},
        BadFile{"NoAbi", elf_with_section("diopter", "diopter-plugin\n"), "plugin.stamp.incomplete",
                " has a damaged stamp (it has no abi); build it again."},
        BadFile{"BadAbi", elf_with_section("diopter", "diopter-plugin\nabi=one\n"), "plugin.stamp.abi",
                " has a damaged stamp (its abi is 'one', not EPOCH.LEVEL); build it again."},
        BadFile{"NoKind", elf_with_section("diopter", StampText{.kinds = ""}.text()), "plugin.stamp.incomplete",
                " has a damaged stamp (it offers no kind); build it again."},
        BadFile{"KindWithoutTab", elf_with_section("diopter", StampText{.kinds = "kind=lens\n"}.text()),
                "plugin.stamp.kind",
                " has a damaged stamp (its line 'lens' is not a kind, a tab and a summary); build it again."}),
    [](const auto& one) { return one.param.name; });

TEST(ReadStamp, RefusesADirectory) {
  const Folder folder;
  const PluginError error = error_of([&] { read_stamp(folder.path()); });
  EXPECT_EQ(error.what(), folder.path().string() + " is a directory; name the .diopter.so file in it.");
  EXPECT_EQ(error.id(), "plugin.file.dir");
}

TEST(ReadStamp, RefusesEveryCutOfAFile) {
  const Folder folder;
  for (std::size_t size = 0; size < kSound.size(); size += 7) {
    const auto file = folder.write("cut.diopter.so", kSound.substr(0, size));
    EXPECT_THROW(read_stamp(file), PluginError) << size;
  }
}

struct Difference {
  const char* name;
  StampText stamp;
  std::string code, theirs, ours;
};

class CheckStamp : public ::testing::TestWithParam<Difference> {};

TEST_P(CheckStamp, SaysWhatDiffersOnBothSides) {
  const Difference& difference = GetParam();
  const PluginError error =
      error_of([&] { check_stamp(parse_stamp(difference.stamp.text(), "/p/x.diopter.so"), "/p/x.diopter.so"); });
  EXPECT_EQ(error.what(), "/p/x.diopter.so was built for " + difference.theirs + " but this host has " +
                              difference.ours +
                              "; rebuild it with -DCMAKE_PREFIX_PATH=\"$(diopter --cmake-prefix-path)\".");
  EXPECT_EQ(error.id(), "plugin.stamp." + difference.code);
  EXPECT_EQ(error.advice(), "rebuild it with -DCMAKE_PREFIX_PATH=\"$(diopter --cmake-prefix-path)\".");
}

const std::string kTorch = "LibTorch " + this_host().torch;

INSTANTIATE_TEST_SUITE_P(
    Fields, CheckStamp,
    ::testing::Values(
        Difference{"Torch", {.torch = "2.12.0"}, "torch", "LibTorch 2.12.0", kTorch},
        Difference{"Epoch", {.abi = "2.0"}, "epoch", "SDK epoch 2", "SDK epoch 1"},
        Difference{"Level", {.abi = "1.3"}, "level", "SDK level 3", "SDK level 0"},
        Difference{"Sdk", {.sdk = "0123456789ab"}, "sdk", "SDK headers 0123456789ab", "SDK headers " + this_host().sdk},
        Difference{"Stl", {.stl = "libcxx"}, "stl", "C++ library libcxx", "C++ library glibcxx11"},
        Difference{"Containers", {.containers = "debug"}, "containers", "containers debug", "containers plain"},
        Difference{
            "Sanitizer", {.sanitizer = "tsan"}, "sanitizer", "sanitizer tsan", "sanitizer " + this_host().sanitizer},
        Difference{"TwoAtOnce",
                   {.abi = "2.0", .torch = "2.12.0"},
                   "torch",
                   "LibTorch 2.12.0 and SDK epoch 2",
                   kTorch + " and SDK epoch 1"}),
    [](const auto& one) { return one.param.name; });

TEST(CheckStamp, AcceptsAReleaseWithoutHash) {
  EXPECT_NO_THROW(check_stamp(parse_stamp(StampText{.sdk = ""}.text(), "x"), "x"));
}

}  // namespace
}  // namespace diopter::host::test
