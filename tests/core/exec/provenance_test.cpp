// Where results come from, in every state a folder can be in.
#include "exec/provenance.hpp"

#include <cstdlib>

#include "core/store/scratch.hpp"
#include "exec/bounded_command.hpp"

namespace diopter::testing {
namespace {

using exec::source_fact;
using store::Json;

class SourceState : public ::testing::Test {
 protected:
  void git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"});
    const auto result =
        exec::run_bounded(arguments, folder(), std::chrono::steady_clock::now() + std::chrono::seconds(20), 1 << 20);
    ASSERT_TRUE(result.ok()) << arguments[7];
  }
  void repository() {
    git({"init", "-q", "-b", "main"});
    write("a.txt", "one\n");
    git({"add", "."});
    git({"commit", "-q", "-m", "first"});
  }
  void write(const std::string& name, const std::string& text) { base::write_file_atomically(folder() / name, text); }
  Json state(const exec::SourceLimits& limits = {.time = std::chrono::seconds(20)}) {
    return source_fact(folder(), {{"compiler", "g++"}}, limits).body;
  }
  const fs::path& folder() const { return scratch_.path(); }

 private:
  Scratch scratch_;
};

TEST_F(SourceState, NoRepository) {
  const Json body = state();
  EXPECT_EQ(body["dirty"], nullptr);
  EXPECT_EQ(body["commit"], nullptr);
  EXPECT_EQ(body["build"]["compiler"], "g++");
}

TEST_F(SourceState, CleanThenDirtyStagedAndUntracked) {
  repository();
  Json body = state();
  EXPECT_EQ(body["dirty"], false);
  EXPECT_EQ(body["branch"], "main");
  EXPECT_EQ(body["commit"].get<std::string>().size(), 40u);
  EXPECT_EQ(body["diff"], nullptr);
  const std::string clean_key = body["sha256"];
  EXPECT_EQ(state()["sha256"], clean_key);  // shared by every run until something changes

  write("a.txt", "two\n");
  write("b.txt", "staged\n");
  git({"add", "b.txt"});
  write("new.txt", "x");
  body = state();
  EXPECT_EQ(body["dirty"], true);
  EXPECT_NE(body["diff"].get<std::string>().find("+two"), std::string::npos);
  EXPECT_NE(body["diff"].get<std::string>().find("+staged"), std::string::npos);
  EXPECT_EQ(body["untracked"], Json::array({{{"path", "new.txt"}, {"sha256", base::sha256("x")}}}));
  EXPECT_NE(body["sha256"], clean_key);
}

TEST_F(SourceState, DetachedHeadAndCredentials) {
  repository();
  git({"checkout", "-q", "--detach"});
  git({"remote", "add", "origin", "https://me:secret@example.org/x.git"});
  const Json body = state();
  EXPECT_EQ(body["branch"], nullptr);
  EXPECT_EQ(body["repo_url"], "https://example.org/x.git");
  EXPECT_EQ(body.dump().find("secret"), std::string::npos);
}

TEST_F(SourceState, ARepositoryWithoutACommit) {
  git({"init", "-q", "-b", "main"});
  write("a.txt", "x");
  const Json body = state();
  EXPECT_EQ(body["commit"], nullptr);
  EXPECT_EQ(body["dirty"], true);
  EXPECT_EQ(body["untracked"].size(), 1u);
}

TEST_F(SourceState, BeyondALimitItSaysWhy) {
  repository();
  write("a.txt", std::string(3 << 20, 'x'));
  for (int i = 0; i < 5; ++i) write("u" + std::to_string(i), "x");
  Json body = state({.time = std::chrono::seconds(20), .untracked = 3});
  EXPECT_EQ(body["diff"], nullptr);
  EXPECT_EQ(body["diff_omitted"], "the diff is larger than 1048576 bytes");
  EXPECT_EQ(body["dirty"], true);
  EXPECT_EQ(body["untracked"].size(), 4u);
  EXPECT_EQ(body["untracked"][3]["omitted"], "more untracked files than are listed");
  const auto start = std::chrono::steady_clock::now();
  body = state({.time = std::chrono::milliseconds(0)});
  EXPECT_EQ(body["commit"], nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Provenance, CredentialsLeaveUrls) {
  EXPECT_EQ(exec::without_credentials("https://u:p@h/x@y"), "https://h/x@y");
  EXPECT_EQ(exec::without_credentials("https://token@h"), "https://h");
  EXPECT_EQ(exec::without_credentials("git@github.com:a/b.git"), "git@github.com:a/b.git");
  EXPECT_EQ(exec::without_credentials("https://h/x"), "https://h/x");
}

TEST(Provenance, TheEnvironmentIsSharedAndListsOnlyWhatIsAllowed) {
  ::setenv("OMP_NUM_THREADS", "3", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "hunter2", 1);
  const auto first = exec::environment_fact({.program = "0.1.0", .libtorch = "2.13.0", .threads = 2});
  const auto second = exec::environment_fact({.program = "0.1.0", .libtorch = "2.13.0", .threads = 2});
  EXPECT_EQ(first.sha256, second.sha256);
  const Json& doc = first.body["doc"];
  EXPECT_EQ(doc["libtorch"], "2.13.0");
  EXPECT_EQ(doc["variables"]["OMP_NUM_THREADS"], "3");
  EXPECT_EQ(doc.dump().find("hunter2"), std::string::npos);
  EXPECT_TRUE(doc["host"]["name"].is_string());
  EXPECT_GT(doc["ram_bytes"].get<std::int64_t>(), 0);
  EXPECT_NE(first.sha256, exec::environment_fact({.program = "0.1.0", .libtorch = "2.14.0", .threads = 2}).sha256);
}

TEST(Provenance, ABoundedCommandEndsInTime) {
  using exec::CommandEnd;
  const auto soon = [] { return std::chrono::steady_clock::now() + std::chrono::milliseconds(300); };
  EXPECT_EQ(exec::run_bounded({"sleep", "20"}, "/", soon(), 100).end, CommandEnd::TimedOut);
  EXPECT_EQ(exec::run_bounded({"yes"}, "/", soon() + std::chrono::seconds(10), 1000).end, CommandEnd::TooMuchOutput);
  EXPECT_EQ(exec::run_bounded({"no-such-program-here"}, "/", soon(), 100).end, CommandEnd::NotStarted);
  EXPECT_EQ(exec::run_bounded({"pwd"}, "/usr", soon() + std::chrono::seconds(10), 100).output, "/usr\n");
  EXPECT_EQ(exec::run_bounded({"false"}, "/", soon() + std::chrono::seconds(10), 100).exit_code, 1);
}

}  // namespace
}  // namespace diopter::testing
