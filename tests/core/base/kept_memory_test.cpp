#include "base/kept_memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

namespace diopter::base::testing {
namespace {

constexpr std::size_t kBlock = std::size_t{192} << 20, kPage = 4096;

long page_faults() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return used.ru_minflt;
}

// Page faults of making a block, writing all of it and freeing it.
long faults_of_a_block() {
  const long before = page_faults();
  void* block = std::malloc(kBlock);
  EXPECT_NE(block, nullptr);
  std::memset(block, 1, kBlock);
  EXPECT_EQ(static_cast<volatile char*>(block)[kBlock - 1], 1);
  std::free(block);
  return page_faults() - before;
}

TEST(KeptMemory, ABlockThatWasFreedIsThereAgainAndCountsAsFree) {
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "malloc is not glibc's here";
#endif
  keep_freed_memory();
  const std::int64_t free_before = kept_free_memory();
  const long first = faults_of_a_block();
  EXPECT_GE(kept_free_memory() - free_before, static_cast<std::int64_t>(kBlock - (kBlock >> 4)));
  const long second = faults_of_a_block();
  printf("page faults of %zu MB: %ld, then %ld\n", kBlock >> 20, first, second);
  EXPECT_LT(second, static_cast<long>(kBlock / kPage / 100));
}

}  // namespace
}  // namespace diopter::base::testing
