// The stamp reader on the plugins of this build, damaged in many ways.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "base/files.hpp"
#include "core/host/fake_elf.hpp"
#include "host/stamp.hpp"

namespace diopter::host::test {
namespace {

namespace fs = std::filesystem;

const fs::path kPlugin = DIOPTER_TEST_PLUGIN;

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  ::pclose(pipe);
  return out;
}

TEST(RealPlugin, HasTheStampOfThisBuild) {
  const Stamp stamp = read_stamp(kPlugin);
  EXPECT_NO_THROW(check_stamp(stamp, kPlugin));
  EXPECT_EQ(stamp.id, "org.diopter.test");
}

TEST(RealPlugin, ExportsItsDescriptorAndNothingElse) {
  const std::string symbols = output_of("nm -D --defined-only " + base::shell_quoted(kPlugin.string()));
  EXPECT_EQ(symbols.substr(symbols.find(' ')), " D diopter_entry\n") << symbols;
}

TEST(RealPlugin, HasNoRunpathAndNeedsTheSdk) {
  const std::string dynamic = output_of("readelf -d " + base::shell_quoted(kPlugin.string()));
  EXPECT_EQ(dynamic.find("RUNPATH"), std::string::npos);
  EXPECT_EQ(dynamic.find("RPATH"), std::string::npos);
  EXPECT_NE(dynamic.find("[libdiopter_sdk.so.1]"), std::string::npos);
}

TEST(RealPlugin, KeepsItsStampWhenStripped) {
  const Folder folder;
  const fs::path stripped = folder.path() / "stripped.diopter.so";
  output_of("strip -o " + base::shell_quoted(stripped.string()) + " " + base::shell_quoted(kPlugin.string()));
  EXPECT_EQ(read_stamp(stripped).text, read_stamp(kPlugin).text);
}

TEST(RealPlugin, IsRefusedWhenCutAtAny512thByte) {
  const Folder folder;
  const std::string whole = base::read_file(kPlugin);
  const fs::path file = folder.write("cut.diopter.so", whole);
  std::size_t refused = 0;
  for (std::size_t size = whole.size() / 512 * 512; size > 0; size -= 512) {
    if (size >= whole.size()) continue;
    fs::resize_file(file, size);  // ever shorter
    try {
      read_stamp(file);
      ADD_FAILURE() << "accepted when cut at " << size;
    } catch (const PluginError& error) {
      EXPECT_EQ(error.id(), "plugin.file.truncated") << error.what();
      ++refused;
    }
  }
  EXPECT_GE(refused, 10u);
}

// Any bytes: a stamp or one sentence, never a crash or a read outside the file.
TEST(RealPlugin, TenThousandMutantsEndInAStampOrASentence) {
  const Folder folder;
  std::string bytes = base::read_file(kPlugin);
  const std::size_t stamp_at = bytes.find("diopter-plugin\n");
  ASSERT_NE(stamp_at, std::string::npos);
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  // Where a change matters: ELF header, program headers, section headers, the stamp; and anywhere.
  const std::pair<std::size_t, std::size_t> places[] = {{0, 64},
                                                        {header.e_phoff, header.e_phnum * 56u},
                                                        {header.e_shoff, header.e_shnum * 64u},
                                                        {stamp_at, 300},
                                                        {0, bytes.size()}};

  const fs::path file = folder.write("mutant.diopter.so", bytes);
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  std::mt19937_64 random(20240607);
  int read = 0, refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::vector<std::size_t> touched;
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      const auto& [start, size] = places[random() % std::size(places)];
      const std::size_t at = std::min(start + random() % size, bytes.size() - 1);
      const char value = random() % 3 == 0 ? '\xff' : static_cast<char>(random());
      ASSERT_EQ(::pwrite(fd, &value, 1, static_cast<off_t>(at)), 1);
      touched.push_back(at);
    }
    try {
      EXPECT_FALSE(read_stamp(file).kinds.empty());
      ++read;
    } catch (const PluginError& error) {
      const std::string sentence = error.what();
      EXPECT_TRUE(sentence.starts_with(file.string()) && sentence.ends_with(".")) << sentence;
      ++refused;
    }
    for (const std::size_t at : touched) ASSERT_EQ(::pwrite(fd, &bytes[at], 1, static_cast<off_t>(at)), 1);
  }
  ::close(fd);
  std::printf("10000 mutants: %d read, %d refused\n", read, refused);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace diopter::host::test
