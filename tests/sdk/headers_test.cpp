// Each header of the SDK can be included alone, and costs no more of LibTorch than the Tensor handle.
#include <gtest/gtest.h>

#include <set>

#include "sdk/compiler.hpp"

namespace diopter::test {
namespace {

namespace fs = std::filesystem;

std::set<std::string> headers() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(DIOPTER_SDK_HEADERS)) names.insert(entry.path().filename());
  return names;
}

TEST(Headers, AbiIsC11AndCxx20) {
  for (const char* language : {"c", "c++"}) {
    const Verdict verdict = compile("#include <diopter/abi.h>\n", "-fsyntax-only", language);
    EXPECT_TRUE(verdict.compiles) << verdict.output;
  }
  EXPECT_TRUE(compile("#include <diopter/abi.h>\n"
                      "_Static_assert(sizeof(diopter_param) == 80, \"param\");\n_Static_assert(sizeof(diopter_output) "
                      "== 56, \"output\");\n"
                      "_Static_assert(sizeof(diopter_hook) == 24, \"hook\");\n_Static_assert(sizeof(diopter_kind) == "
                      "112, \"kind\");\n"
                      "_Static_assert(sizeof(diopter_plugin) == 72, "
                      "\"plugin\");\n_Static_assert(sizeof(diopter_status) == 2056, \"status\");\n",
                      "-fsyntax-only", "c")
                  .compiles);
}

TEST(Headers, EachCompilesAlone) {
  EXPECT_GE(headers().size(), 15u);
  for (const std::string& header : headers()) {
    const Verdict verdict = compile("#include <diopter/" + header + ">\n");
    EXPECT_TRUE(verdict.compiles) << header << "\n" << verdict.output;
  }
}

TEST(Headers, DoNotIncludeAllOfATenNorFmt) {
  const Verdict verdict = compile("#include <diopter/plugin.hpp>\n", "-M");
  ASSERT_TRUE(verdict.compiles) << verdict.output;
  EXPECT_EQ(verdict.output.find("ATen/ATen.h"), std::string::npos);
  EXPECT_EQ(verdict.output.find("torch/torch.h"), std::string::npos);
  EXPECT_NE(verdict.output.find("ATen/core/Tensor.h"), std::string::npos);
}

}  // namespace
}  // namespace diopter::test
