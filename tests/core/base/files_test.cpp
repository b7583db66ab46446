#include "base/files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "base/mapped_file.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

namespace diopter::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public TemporaryFolder {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
};

TEST_F(Files, WhatIsWrittenIsRead) {
  const std::string bytes("a\0\n\xFF", 4);
  write_file_atomically(folder_ / "x", bytes);
  EXPECT_EQ(read_file(folder_ / "x"), bytes);
  write_file_atomically(folder_ / "x", "");
  EXPECT_EQ(read_file(folder_ / "x"), "");
  EXPECT_EQ(entries(), 1u);  // no temporary file stays
}

// A disk that is full part of the way: the file-size limit makes write() fail after a while.
TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  write_file_atomically(folder_ / "x", "old");
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{4096, old_limit.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message;
  try {
    write_file_atomically(folder_ / "x", std::string(100'000, 'n'));
  } catch (const UserError& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(message, "cannot write " + (folder_ / "x").string() + ": File too large");
  EXPECT_EQ(read_file(folder_ / "x"), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ErrorsNameFileAndReason) {
  EXPECT_EQ(errno_text(ENOSPC), "No space left on device");
  EXPECT_EQ(refusal(Exit::Store, [&] { write_file_atomically(folder_ / "none/x", "a"); }),
            "cannot write " + (folder_ / "none/x").string() + ": No such file or directory");
  fs::create_directories(folder_ / "directory");
  EXPECT_THAT(refusal(Exit::Store, [&] { write_file_atomically(folder_ / "directory", "a"); }),
              HasSubstr("Is a directory"));
  EXPECT_EQ(entries(), 1u);
  EXPECT_THAT(refusal(Exit::Usage, [&] { read_file(folder_ / "none"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(refusal(Exit::Usage, [&] { read_file(folder_); }), HasSubstr("it is a directory"));
  put("file", "");
  EXPECT_THAT(refusal(Exit::Store, [&] { make_directories(folder_ / "file/below"); }), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal(Exit::Store, [&] { sync_file(folder_ / "none"); }), HasSubstr("cannot sync"));
}

// A reader at any moment sees one whole version.
TEST_F(Files, ReadersSeeWholeVersions) {
  write_file_atomically(folder_ / "x", std::string(1000, '0'));
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i)
      write_file_atomically(folder_ / "x",
                            std::string(1000 + static_cast<std::size_t>(i), static_cast<char>('1' + i % 9)));
  });
  int torn = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string seen = read_file(folder_ / "x");
    torn += seen.size() < 1000 || seen.find_first_not_of(seen[0]) != std::string::npos;
  }
  writer.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(Files, RelativeNamesWork) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  write_file_atomically("bare", "x");
  EXPECT_EQ(read_file("bare"), "x");
  fs::current_path(before);
}

TEST_F(Files, MappedFileIsItsBytes) {
  put("x", "mapped");
  put("empty", "");
  EXPECT_EQ(MappedFile(folder_ / "x").bytes(), "mapped");
  EXPECT_EQ(MappedFile(folder_ / "empty").bytes(), "");
  EXPECT_THAT(refusal(Exit::Refused, [&] { MappedFile(folder_ / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(refusal(Exit::Refused, [&] { MappedFile mapped(folder_); }), HasSubstr("not a regular file"));
}

TEST(ShellQuoted, ProtectsWhatAShellWouldChange) {
  EXPECT_EQ(shell_quoted("plain-1.0/x"), "plain-1.0/x");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("two words"), "'two words'");
  EXPECT_EQ(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
}

}  // namespace
}  // namespace diopter::base
