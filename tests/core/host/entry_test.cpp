// Descriptors as other compilers and other versions would make them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>

#include "core/host/fake_elf.hpp"
#include "host/entry_reader.hpp"

namespace diopter::host::test {
namespace {

int32_t no_create(const diopter_params*, void**, diopter_status*) { return DIOPTER_OK; }
int32_t no_run(void*, diopter_context*, diopter_status*) { return DIOPTER_OK; }
void no_destroy(void*) {}

diopter_param sound_param() { return {"top_k", "Tokens listed.", "", "1", nullptr, "", "", DIOPTER_INT, 0, 1, 100}; }

// A descriptor whose parts a test can spoil.
struct Descriptor {
  std::vector<diopter_param> params = {sound_param()};
  std::vector<diopter_output> outputs = {{"kl", "A tensor.", "nat", "layer pos", "", "", DIOPTER_TENSOR, 0}};
  std::vector<diopter_hook> hooks = {{"blocks.*.hook_resid_post", "Why.", DIOPTER_OBSERVE, 0}};
  diopter_kind kind{sizeof(diopter_kind),
                    0,
                    1,
                    0,
                    "lens",
                    "Looks at layers.",
                    "",
                    nullptr,
                    0,
                    sizeof(diopter_param),
                    nullptr,
                    0,
                    sizeof(diopter_output),
                    nullptr,
                    0,
                    sizeof(diopter_hook),
                    no_create,
                    no_run,
                    no_destroy};
  diopter_plugin entry{sizeof(diopter_plugin),
                       DIOPTER_ABI_EPOCH,
                       DIOPTER_ABI_LEVEL,
                       0,
                       "org.example.lens",
                       "0.1.0",
                       "GCC",
                       this_host().torch.c_str(),
                       nullptr,
                       1,
                       sizeof(diopter_kind),
                       nullptr};
  Stamp stamp = parse_stamp(StampText().text(), "/p/x.diopter.so");

  LoadedPlugin read() {
    kind.params = params.data();
    kind.param_count = static_cast<std::uint32_t>(params.size());
    kind.outputs = outputs.data();
    kind.output_count = static_cast<std::uint32_t>(outputs.size());
    kind.hooks = hooks.data();
    kind.hook_count = static_cast<std::uint32_t>(hooks.size());
    entry.kinds = &kind;
    return read_entry(entry, stamp, "/p/x.diopter.so");
  }
  std::pair<std::string, std::string> refusal() {
    const PluginError error = error_of([&] { read(); });
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    return {error.code(), error.what()};
  }
};
using Refusal = std::pair<std::string, std::string>;
const std::string kFile = "/p/x.diopter.so: ";

TEST(ReadEntry, AcceptsASoundDescriptor) {
  const LoadedPlugin plugin = Descriptor().read();
  ASSERT_EQ(plugin.kinds.size(), 1u);
  EXPECT_STREQ(plugin.kinds[0].name, "lens");
}

TEST(ReadEntry, RefusesASmallDescriptor) {
  Descriptor d;
  d.entry.struct_size = 8;
  EXPECT_EQ(d.refusal(), (Refusal{"small", kFile + "its descriptor is 8 bytes where at least " +
                                               std::to_string(offsetof(diopter_plugin, get_extension)) +
                                               " are needed; build it again."}));
}

TEST(ReadEntry, ReadsAnOlderDescriptorWithoutItsLastField) {
  Descriptor d;
  d.entry.struct_size = offsetof(diopter_plugin, get_extension);
  d.entry.get_extension = reinterpret_cast<const void* (*)(const char*)>(1);  // beyond what the plugin knew
  EXPECT_EQ(d.read().entry.get_extension, nullptr);
}

TEST(ReadEntry, ReadsKindsThroughALargerStride) {
  Descriptor d;
  struct Larger {
    diopter_kind kind;
    char future[40];
  } kinds[2]{};
  d.read();  // fills the pointers
  for (auto& larger : kinds) {
    larger.kind = d.kind;
    larger.kind.struct_size = sizeof(Larger);
    std::memset(larger.future, 0x7f, sizeof larger.future);
  }
  kinds[1].kind.name = "second";
  d.entry.kinds = &kinds[0].kind;
  d.entry.kind_count = 2;
  d.entry.kind_size = sizeof(Larger);
  StampText text;
  text.kinds += "kind=second\tLooks at layers.\n";
  const LoadedPlugin plugin = read_entry(d.entry, parse_stamp(text.text(), "x"), "/p/x.diopter.so");
  ASSERT_EQ(plugin.kinds.size(), 2u);
  EXPECT_STREQ(plugin.kinds[1].name, "second");
}

TEST(ReadEntry, RefusesNulls) {
  Descriptor id;
  id.entry.id = nullptr;
  EXPECT_EQ(id.refusal(), (Refusal{"null_id", kFile + "its descriptor has no id; build it again."}));
  Descriptor doc;
  doc.params[0].doc = nullptr;
  EXPECT_EQ(doc.refusal(),
            (Refusal{"null_doc", kFile + "parameter 'top_k' of kind 'lens' has no doc; build it again."}));
  Descriptor function;
  function.kind.run = nullptr;
  EXPECT_EQ(function.refusal().first, "null_function");
  Descriptor array;
  array.kind.params = nullptr;
  array.kind.param_count = 3;
  array.entry.kinds = &array.kind;
  const PluginError error = error_of([&] { read_entry(array.entry, array.stamp, "/p/x.diopter.so"); });
  EXPECT_EQ(error.what(), kFile + "kind 'lens' counts 3 parameters but has none; build it again.");
}

TEST(ReadEntry, RefusesBadDefaultsInTheValidatorsWords) {
  Descriptor d;
  d.params[0].fallback = "0";
  EXPECT_EQ(d.refusal(), (Refusal{"bad_default",
                                  kFile + "parameter 'top_k' of kind 'lens' has default 0, which is outside [1, 100]; "
                                          "correct its row."}));
  Descriptor example;
  example.params[0].fallback = nullptr;
  example.params[0].example = "'many'";
  EXPECT_EQ(example.refusal().first, "bad_example");
  Descriptor neither;
  neither.params[0].fallback = nullptr;
  EXPECT_EQ(neither.refusal().first, "no_example");
}

TEST(ReadEntry, RefusesNamesThatClash) {
  Descriptor twice;
  twice.params.push_back(sound_param());
  EXPECT_EQ(twice.refusal(),
            (Refusal{"duplicate_param", kFile + "two parameters of kind 'lens' are called 'top_k'; rename one."}));
  Descriptor reserved;
  reserved.params[0].name = "prompts";
  EXPECT_EQ(reserved.refusal(),
            (Refusal{"reserved_name", kFile + "parameter 'prompts' of kind 'lens' has the name of a key of "
                                              "[[run]]; rename it."}));
  Descriptor output;
  output.outputs.push_back(output.outputs[0]);
  EXPECT_EQ(output.refusal().first, "duplicate_output");
  Descriptor spelled;
  spelled.params[0].name = "Top K";
  EXPECT_EQ(spelled.refusal().first, "name");
}

TEST(ReadEntry, RefusesWhatDiffersFromTheStamp) {
  Descriptor version;
  version.entry.version = "0.2.0";
  EXPECT_EQ(version.refusal(),
            (Refusal{"stamp_differs", kFile + "its stamp has version '0.1.0' and its descriptor '0.2.0'; build it "
                                              "again."}));
  Descriptor summary;
  summary.kind.summary = "Other.";
  EXPECT_EQ(summary.refusal().first, "stamp_differs");
}

TEST(ReadEntry, RefusesUnknownNeedsEpochsAndTypes) {
  Descriptor needs;
  needs.kind.needs = 1024;
  EXPECT_EQ(needs.refusal().first, "needs");
  Descriptor epoch;
  epoch.entry.abi_epoch = 2;
  EXPECT_EQ(epoch.refusal().first, "epoch");
  Descriptor level;
  level.entry.abi_level = 9;
  EXPECT_EQ(level.refusal().first, "level");
  Descriptor type;
  type.params[0].type = 99;
  EXPECT_EQ(type.refusal().first, "type");
  Descriptor dims;
  dims.outputs[0].dims = "layer layer";
  EXPECT_EQ(dims.refusal().first, "dims");
}

}  // namespace
}  // namespace diopter::host::test
