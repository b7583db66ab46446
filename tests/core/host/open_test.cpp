#include <gtest/gtest.h>

#include "core/host/fake_elf.hpp"
#include "host/check_host.hpp"
#include "host/loaded_plugin.hpp"
#include "host/shared_object.hpp"

namespace diopter::host::test {
namespace {

TEST(CheckHost, AcceptsTheLibTorchItWasBuiltWith) {
  EXPECT_NO_THROW(check_host());
  EXPECT_EQ(loaded_torch().version, this_host().torch);
  EXPECT_NE(loaded_torch().file.string().find("libtorch_cpu"), std::string::npos);
}

TEST(CheckHost, RefusesAnother) {
  const PluginError error = error_of([] { check_host({"2.14.1", "/t/lib/libtorch_cpu.so"}); });
  const std::string built = this_host().torch;
  EXPECT_EQ(error.what(), "this Diopter was built with LibTorch " + built +
                              " but found 2.14.1 in /t/lib/libtorch_cpu.so; install "
                              "torch==" +
                              built + " or rebuild Diopter.");
  EXPECT_EQ(error.id(), "plugin.host.torch");
}

TEST(Open, NamesAnUndefinedSymbol) {
  const std::filesystem::path file = DIOPTER_TEST_UNDEFINED_SYMBOL;
  const PluginError error = error_of([&] { open_library(file); });
  EXPECT_EQ(error.what(),
            file.string() +
                " cannot be loaded: undefined symbol nowhere(int); link the library that defines it (LINK "
                "of diopter_add_plugin).");
  EXPECT_EQ(error.id(), "plugin.open.undefined_symbol");
}

TEST(Open, NamesAMissingLibrary) {
  const LoadProblem problem = explain_load_problem(
      "libmissing.so.3: cannot open shared object file: No such file or directory", "/p/x.diopter.so");
  EXPECT_STREQ(problem.code, "missing_library");
  EXPECT_EQ(problem.sentence,
            "it needs libmissing.so.3, which is not found; install that library or add its folder to LD_LIBRARY_PATH.");
}

TEST(Open, RefusesALibraryWithoutDescriptor) {
  const std::filesystem::path file = DIOPTER_TEST_NO_SYMBOL;
  const PluginError error = error_of([&] { open_library(file); });
  EXPECT_EQ(error.id(), "plugin.entry.no_symbol");
  EXPECT_EQ(error.what(),
            file.string() +
                " does not export diopter_entry; build it with diopter_add_plugin() and one DIOPTER_PLUGIN "
                "line.");
}

TEST(Open, LoadsAPluginOnce) {
  const std::filesystem::path file = DIOPTER_TEST_PLUGIN;
  const LoadedPlugin& plugin = load_plugin(file, read_stamp(file));
  EXPECT_EQ(&plugin, &load_plugin(file, read_stamp(file)));
  ASSERT_EQ(plugin.kinds.size(), 1u);
  EXPECT_STREQ(plugin.kinds[0].name, "test");
  EXPECT_EQ(plugin.kinds[0].param_count, 3u);
  EXPECT_EQ(plugin.kinds[0].output_count, 6u);
  EXPECT_EQ(plugin.kinds[0].hook_count, 1u);
  EXPECT_EQ(plugin.kinds[0].version, 1u);
  EXPECT_TRUE(plugin.built_with.starts_with("GCC")) << plugin.built_with;
}

}  // namespace
}  // namespace diopter::host::test
