// Watches every test of this executable: whatever it does, nothing is written or checkpointed without the lock, and no
// transaction that may write begins deferred.
#include <gtest/gtest.h>

#include "core/store/shim_vfs.hpp"

namespace diopter::testing {
namespace {

class Watcher : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo&) override {
    for (const std::string& what : take_violations()) ADD_FAILURE() << what;
  }
};

// gtest_main owns main(); a global environment runs before the first test.
class Installer : public ::testing::Environment {
  void SetUp() override {
    install_shim_vfs();
    ::testing::UnitTest::GetInstance()->listeners().Append(new Watcher);
  }
};

[[maybe_unused]] const auto* const kInstalled = ::testing::AddGlobalTestEnvironment(new Installer);

}  // namespace
}  // namespace diopter::testing
