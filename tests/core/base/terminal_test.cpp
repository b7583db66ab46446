#include "base/terminal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/progress.hpp"

namespace diopter::base {
namespace {

// Sets environment variables for one scope.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    for (const char* name : {"NO_COLOR", "CLICOLOR_FORCE", "TERM", "COLORTERM", "LC_ALL", "LC_CTYPE", "LANG"}) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      ::unsetenv(name);
      names_.push_back(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& name : names_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::string> before_;
};

bool coloured(ColourChoice choice, const std::map<std::string, std::string>& values) {
  const Environment environment(values);
  return use_colour(choice, -1);  // no terminal
}

TEST(Terminal, ColourFollowsTheConventions) {
  EXPECT_FALSE(coloured(ColourChoice::Auto, {}));
  EXPECT_TRUE(coloured(ColourChoice::Auto, {{"CLICOLOR_FORCE", "1"}}));
  EXPECT_FALSE(coloured(ColourChoice::Auto, {{"CLICOLOR_FORCE", "0"}}));
  EXPECT_FALSE(coloured(ColourChoice::Auto, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}));
  EXPECT_TRUE(coloured(ColourChoice::Auto, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", ""}}));
  EXPECT_TRUE(coloured(ColourChoice::Always, {{"NO_COLOR", "1"}}));
  EXPECT_FALSE(coloured(ColourChoice::Never, {{"CLICOLOR_FORCE", "1"}}));
  EXPECT_EQ(colour_choice("always"), ColourChoice::Always);
  EXPECT_EQ(colour_choice("sometimes"), std::nullopt);
}

TEST(Terminal, LocaleAndDepth) {
  const auto utf8 = [](const std::map<std::string, std::string>& values) {
    const Environment environment(values);
    return utf8_locale();
  };
  EXPECT_TRUE(utf8({{"LANG", "C.UTF-8"}}));
  EXPECT_TRUE(utf8({{"LANG", "C"}, {"LC_CTYPE", "de_DE.utf8"}}));
  EXPECT_FALSE(utf8({{"LANG", "en_GB.UTF-8"}, {"LC_ALL", "C"}}));
  EXPECT_FALSE(utf8({}));
  const Environment environment(std::map<std::string, std::string>{{"COLORTERM", "truecolor"}});
  EXPECT_TRUE(true_colour());
  EXPECT_EQ(terminal_width(-1), 100u);
}

TEST(Progress, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(99'949), "99.9 kB");
  EXPECT_EQ(bytes_text(548'105'171), "548 MB");
  EXPECT_EQ(bytes_text(999'600'000), "1.0 GB");
  EXPECT_EQ(bytes_text(14'483'464'192), "14.5 GB");
  EXPECT_EQ(bytes_text(~std::uint64_t{0}), "18.4 EB");
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(0.034), "0.03 s");
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(59.7), "1 min 00 s");
  EXPECT_EQ(duration_text(221), "3 min 41 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
}

TEST(Interrupt, ASignalSetsTheFlagAndASecondOneEnds) {
  EXPECT_EXIT(
      {
        install_interrupt_handlers();
        if (interrupted()) ::_exit(1);
        std::raise(SIGTERM);
        if (!interrupted() || interrupt_signal() != SIGTERM) ::_exit(2);
        std::raise(SIGINT);
        ::_exit(3);
      },
      testing::ExitedWithCode(128 + SIGINT), "");
  request_interrupt(SIGINT);
  EXPECT_TRUE(interrupted());
  clear_interrupt();
  EXPECT_FALSE(interrupted());
}

TEST(Error, CarriesWhatTheUserNeeds) {
  const UserError error(Exit::Refused, "what", "help", "a.b");
  EXPECT_STREQ(error.what(), "what");
  EXPECT_EQ(error.help(), "help");
  EXPECT_EQ(error.id(), "a.b");
  EXPECT_EQ(static_cast<int>(error.exit()), 6);
  try {
    DIOPTER_CHECK(1 == 2, "arithmetic");
    FAIL();
  } catch (const std::logic_error& bug) {
    EXPECT_NE(std::string(bug.what()).find("internal error: arithmetic (terminal_test.cpp:"), std::string::npos);
  }
}

}  // namespace
}  // namespace diopter::base
