// Each type of exception becomes its code and a sentence.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include <diopter/error.hpp>
#include <diopter/exception.hpp>

namespace diopter::test {
namespace {

struct NoException {};

template <class F>
std::pair<int, std::string> status_of(F&& throwing) {
  diopter_status status{};
  status.struct_size = sizeof status;
  try {
    throwing();
  } catch (...) {
    const int code = status_of_current_exception(&status);
    EXPECT_EQ(code, status.code);
  }
  return {status.code, status.message};
}
using Told = std::pair<int, std::string>;

TEST(StatusOfException, KnowsEachType) {
  EXPECT_EQ(status_of([] { throw Error("no"); }), (Told{DIOPTER_REFUSED, "no"}));
  EXPECT_EQ(status_of([] { throw Stopped("stop"); }), (Told{DIOPTER_STOPPED, "stop"}));
  EXPECT_EQ(status_of([] { throw std::runtime_error("plain"); }), (Told{DIOPTER_EXCEPTION, "plain"}));
  EXPECT_EQ(status_of([] { throw std::bad_alloc(); }), (Told{DIOPTER_NO_MEMORY, "out of memory"}));
  EXPECT_EQ(status_of([] { throw 3; }), (Told{DIOPTER_NOT_AN_EXCEPTION, "an int"}));
  EXPECT_EQ(status_of([] { throw NoException{}; }).second, "a diopter::test::(anonymous namespace)::NoException");
  EXPECT_EQ(status_of([] {
              at::zeros({2, 3}).matmul(at::zeros({2, 3}));
            }),
            (Told{DIOPTER_TORCH, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"}));
  EXPECT_EQ(status_of([] { at::empty({1'000'000'000'000'000}); }).first, DIOPTER_NO_MEMORY);
}

TEST(StatusOfException, IsCutAtACharacterBoundary) {
  std::string text(2046, 'x');
  text += "ß and more";
  const auto [code, message] = status_of([&] { throw Error(text); });
  EXPECT_EQ(message, std::string(2046, 'x'));
}

TEST(StatusOfException, NeedsNoStatus) {
  try {
    throw Error("no");
  } catch (...) {
    EXPECT_EQ(status_of_current_exception(nullptr), DIOPTER_REFUSED);
  }
}

}  // namespace
}  // namespace diopter::test
