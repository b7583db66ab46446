#include "host/plugin_index.hpp"

#include <gtest/gtest.h>

#include "core/host/fake_elf.hpp"

namespace diopter::host::test {
namespace {

namespace fs = std::filesystem;

TEST(SearchPath, IsFlagThenVariableThenInstallation) {
  const Folder a, b, c, installed;
  const auto found = search_path(
      {{a.path()}, b.path().string() + "::" + c.path().string() + ":" + a.path().string(), installed.path()});
  EXPECT_EQ(found, (std::vector<fs::path>{a.path(), b.path(), c.path(), installed.path()}));
}

TEST(SearchPath, OnlyTheInstallationMayBeAbsent) {
  EXPECT_TRUE(search_path({{}, std::nullopt, "/nowhere/plugins"}).empty());
  const PluginError variable = error_of([] { search_path({{}, "/nowhere", ""}); });
  EXPECT_STREQ(variable.what(),
               "cannot search for plugins in /nowhere (from DIOPTER_PLUGIN_PATH) because it is not a directory; "
               "correct the variable or create it.");
  EXPECT_EQ(variable.id(), "plugin.find.missing_dir");
  EXPECT_EQ(variable.exit(), base::Exit::Usage);
  const PluginError flag = error_of([] { search_path({{"/nowhere"}, std::nullopt, ""}); });
  EXPECT_STREQ(flag.what(),
               "cannot search for plugins in /nowhere (from --plugin-path) because it is not a directory; correct the "
               "option or create it.");
}

TEST(Candidates, AreSortedAndEachFileOnce) {
  const Folder folder;
  folder.plugin("b.diopter.so");
  folder.plugin("a.diopter.so");
  folder.write("notes.txt", "x");
  fs::create_symlink(folder.path() / "a.diopter.so", folder.path() / "c.diopter.so");
  folder.write("libother.so", "x");
  const auto found = candidates({folder.path()});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].file.filename(), "a.diopter.so");
  EXPECT_EQ(found[1].file.filename(), "b.diopter.so");
  EXPECT_EQ(found[2].ignored,
            (folder.path() / "libother.so").string() +
                " is ignored because its name does not end in .diopter.so; build it with diopter_add_plugin().");
}

TEST(Resolve, FindsBareAndQualifiedNames) {
  const Folder folder;
  const auto file = folder.plugin("lens.diopter.so");
  const auto index = PluginIndex::scan({folder.path()});
  EXPECT_EQ(index.resolve("lens").file, file);
  EXPECT_EQ(index.resolve("org.example.lens:lens").name, "lens");
}

TEST(Resolve, SuggestsTheNearestKind) {
  const Folder folder;
  folder.plugin("lens.diopter.so", {.kinds = "kind=logit_lens\tLooks.\n"});
  const auto index = PluginIndex::scan({folder.path()});
  const PluginError error = error_of([&] { index.resolve("logit_lense"); });
  EXPECT_STREQ(error.what(),
               "no plugin offers kind 'logit_lense' (did you mean 'logit_lens'?); run 'diopter plugin list' to see "
               "every kind.");
  EXPECT_EQ(error.id(), "plugin.find.unknown_kind");
}

TEST(Resolve, AsksForAQualifiedNameWhenTwoPluginsOfferIt) {
  const Folder folder;
  const auto a = folder.plugin("a.diopter.so", {.id = "org.diopter.lens"});
  const auto b = folder.plugin("b.diopter.so", {.id = "org.example.lens"});
  const auto index = PluginIndex::scan({folder.path()});
  const PluginError error = error_of([&] { index.resolve("lens"); });
  EXPECT_EQ(error.what(), "kind 'lens' is offered by org.diopter.lens (" + a.string() + ") and org.example.lens (" +
                              b.string() + "); write kind = \"org.example.lens:lens\" to choose.");
  EXPECT_EQ(error.id(), "plugin.find.ambiguous_kind");
  EXPECT_EQ(index.resolve("org.diopter.lens:lens").file, a);
}

TEST(Resolve, RefusesOneIdInTwoFiles) {
  const Folder folder;
  const auto a = folder.plugin("a.diopter.so"), b = folder.plugin("b.diopter.so");
  const PluginError error = error_of([&] { PluginIndex::scan({folder.path()}).resolve("lens"); });
  EXPECT_EQ(error.what(), "plugin id 'org.example.lens' is offered by " + a.string() + " and " + b.string() +
                              "; remove one of them.");
  EXPECT_EQ(error.id(), "plugin.find.duplicate_id");
}

TEST(Resolve, ReportsARefusedFileOnlyWhenItsKindIsAskedFor) {
  const Folder folder;
  folder.plugin("good.diopter.so");
  const auto old =
      folder.plugin("old.diopter.so", {.torch = "2.12.0", .id = "org.example.old", .kinds = "kind=old\tOld.\n"});
  folder.write("empty.diopter.so", "");
  const auto index = PluginIndex::scan({folder.path()});
  EXPECT_EQ(index.plugins().size(), 1u);
  EXPECT_EQ(index.refused().size(), 2u);
  EXPECT_NO_THROW(index.resolve("lens"));
  const PluginError error = error_of([&] { index.resolve("old"); });
  EXPECT_EQ(error.id(), "plugin.stamp.torch");
  EXPECT_EQ(error.what(), old.string() + " was built for LibTorch 2.12.0 but this host has LibTorch " +
                              this_host().torch +
                              "; rebuild it with -DCMAKE_PREFIX_PATH=\"$(diopter --cmake-prefix-path)\".");
}

}  // namespace
}  // namespace diopter::host::test
