#include "weights/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "core/weights/files.hpp"
#include "core/weights/torch_bytes.hpp"
#include "weights/checkpoint_files.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::weights {
namespace {

using ::testing::AllOf;
using testing::Folder;
using ::testing::HasSubstr;
using testing::refusal;

void write_one(const std::filesystem::path& file, const std::string& tensor, float value) {
  write_safetensors(file, {{tensor, Dtype::F32, {1}, {reinterpret_cast<const char*>(&value), sizeof value}}});
}

float value_of(const Checkpoint& checkpoint, const std::string& tensor) {
  float value = 0;
  std::memcpy(&value, checkpoint.tensors().at(tensor).bytes.data(), sizeof value);
  return value;
}

std::string index_of(const std::string& weight_map) {
  return R"({"metadata":{"total_size":8},"weight_map":)" + weight_map + "}";
}

TEST(Checkpoint, OpensAFileAndAFolder) {
  const Folder folder;
  write_one(folder.path() / "model.safetensors", "a", 3);
  EXPECT_EQ(value_of(Checkpoint::open(folder.path()), "a"), 3);
  EXPECT_EQ(value_of(Checkpoint::open(folder.path() / "model.safetensors"), "a"), 3);
}

TEST(Checkpoint, ViewsOutliveTheCheckpoint) {
  const Folder folder;
  write_one(folder.path() / "model.safetensors", "a", 3);
  std::optional<Checkpoint> checkpoint = Checkpoint::open(folder.path());
  const TensorView view = checkpoint->tensors().at("a");
  checkpoint.reset();
  float value = 0;
  std::memcpy(&value, view.bytes.data(), sizeof value);
  EXPECT_EQ(value, 3);
}

TEST(Checkpoint, ReadsShards) {
  const Folder folder;
  write_one(folder.path() / "s-1.safetensors", "a", 1);
  write_one(folder.path() / "s-2.safetensors", "b", 2);
  folder.write("model.safetensors.index.json", index_of(R"({"a":"s-1.safetensors","b":"s-2.safetensors"})"));
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  EXPECT_EQ(value_of(checkpoint, "a"), 1);
  EXPECT_EQ(value_of(checkpoint, "b"), 2);
  EXPECT_EQ(checkpoint.files().size(), 2U);
}

TEST(Checkpoint, AnIndexMayNotReachOutOfItsFolder) {
  const Folder folder;
  write_one(folder.path() / "outside.safetensors", "a", 1);
  std::filesystem::create_directory(folder.path() / "model");
  const auto index = folder.path() / "model" / "model.safetensors.index.json";
  for (const char* shard : {"../outside.safetensors", "/etc/passwd", "sub/x.safetensors", "..", "",
                            "..\\\\outside.safetensors", "a\\u0000.safetensors"}) {
    std::ofstream(index) << index_of(std::string(R"({"a":")") + shard + "\"}");
    EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path() / "model"); }),
                HasSubstr("expected plain file names as shards"))
        << shard;
  }
  std::ofstream(index) << index_of(R"({"a":"weights.txt"})");
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path() / "model"); }),
              HasSubstr("expected shards named *.safetensors"));
}

TEST(Checkpoint, AnIndexMustDescribeItsShards) {
  const Folder folder;
  write_one(folder.path() / "s.safetensors", "a", 1);
  const auto refused = [&](const std::string& index) {
    folder.write("model.safetensors.index.json", index);
    return refusal([&] { Checkpoint::open(folder.path()); });
  };
  EXPECT_THAT(refused(index_of(R"({"a":"s.safetensors","b":"s.safetensors"})")),
              HasSubstr("b is not in s.safetensors"));
  EXPECT_THAT(refused(index_of(R"({"b":"s.safetensors"})")),
              AllOf(HasSubstr("b is not in s.safetensors"), HasSubstr("a in s.safetensors is not in the index")));
  EXPECT_THAT(refused(index_of(R"({"a":"t.safetensors"})")),
              HasSubstr("names the shard t.safetensors, which is not beside it"));
  EXPECT_THAT(refused(index_of(R"({"a":1})")), HasSubstr("expected a file name for \"a\""));
  EXPECT_THAT(refused(index_of("{}")), HasSubstr("expected an object 'weight_map'"));
  EXPECT_THAT(refused("[]"), HasSubstr("expected an object 'weight_map'"));
  EXPECT_THAT(refused("{"), HasSubstr("expected JSON"));
}

TEST(Checkpoint, ATensorInTwoShardsIsRefused) {
  const Folder folder;
  write_one(folder.path() / "s-1.safetensors", "a", 1);
  write_one(folder.path() / "s-2.safetensors", "a", 2);
  folder.write("model.safetensors.index.json", index_of(R"({"a":"s-1.safetensors","b":"s-2.safetensors"})"));
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path()); }), HasSubstr("expected every tensor in one shard"));
}

TEST(Checkpoint, SaysWhatIsMissing) {
  const Folder folder;
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path()); }),
              HasSubstr("expected model.safetensors, pytorch_model.bin or an index"));
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path() / "x.safetensors"); }), HasSubstr("got no such file"));
  folder.write("pytorch_model.bin", "");
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path()); }), HasSubstr("got none of these"));
  folder.write("tf_model.h5", "");
  std::filesystem::remove(folder.path() / "pytorch_model.bin");
  try {
    Checkpoint::open(folder.path());
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.help(), HasSubstr("save_pretrained(folder, safe_serialization=True)"));
  }
}

TEST(Checkpoint, TorchFilesAndTheirShardsAreOpenedByTheirContent) {
  const Folder folder;
  const std::string floats(24, '\x40');
  const auto file = [&](const std::string& name, std::uint64_t size) {
    return testing::torch_zip(
        testing::pickle(testing::dict({{name, testing::tensor(testing::storage("0", 6), 0, {size}, {1})}})),
        {{"0", floats}});
  };
  folder.write("final.pth", file("a", 6));
  folder.write("optimizer.pt", "not weights");
  EXPECT_EQ(Checkpoint::open(folder.path()).tensors().at("a").bytes, floats);
  folder.write("other.pt", file("b", 6));
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path()); }), HasSubstr("got final.pth and other.pt"));
  folder.write("pytorch_model.bin.index.json", index_of(R"({"a":"final.pth","b":"other.pt"})"));
  const Checkpoint shards = Checkpoint::open(folder.path());
  EXPECT_EQ(shards.tensors().size(), 2U);
  EXPECT_EQ(checkpoint_files(folder.path()).size(), 3U);
  folder.write("pytorch_model.bin.index.json", index_of(R"({"a":"../final.pth"})"));
  EXPECT_THAT(refusal([&] { Checkpoint::open(folder.path()); }), HasSubstr("expected plain file names as shards"));
}

}  // namespace
}  // namespace diopter::weights
