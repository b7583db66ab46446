// torch.save as peer (tests/peers/torch_files_oracle.py): its files are read here, those that would run code are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/weights/files.hpp"
#include "peers/python_peer.hpp"
#include "weights/checkpoint.hpp"
#include "weights/safetensors_file.hpp"

namespace diopter::weights {
namespace {

using ::testing::HasSubstr;

// The elements of a view in row-major order.
std::string row_major(const TensorView& view) {
  if (view.strides.empty()) return std::string(view.bytes);
  const std::size_t size = element_size(view.dtype);
  std::string out;
  std::vector<std::int64_t> index(view.shape.size(), 0);
  for (bool more = true; more;) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * view.strides[d];
    out += view.bytes.substr(static_cast<std::size_t>(at) * size, size);
    more = false;
    for (std::size_t d = index.size(); d > 0 && !more; --d) {
      more = ++index[d - 1] < view.shape[d - 1];
      if (!more) index[d - 1] = 0;
    }
  }
  return out;
}

TEST(TorchPeer, ReadsWhatPythonWrites) {
  const std::filesystem::path folder = peers::oracle("torch_files");
  if (folder.empty()) GTEST_SKIP() << peers::missing_oracle("torch_files");
  int files = 0, tensors = 0, strided = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".pt") continue;
    const Checkpoint read = Checkpoint::open(entry.path());
    const SafetensorsFile expected(std::filesystem::path(entry.path()).replace_extension(".safetensors"));
    ASSERT_EQ(read.tensors().size(), expected.tensors().size()) << entry.path();
    for (const auto& [name, theirs] : expected.tensors()) {
      const TensorView& ours = read.tensors().at(name);
      EXPECT_EQ(ours.dtype, theirs.dtype) << entry.path() << " " << name;
      EXPECT_EQ(ours.shape, theirs.shape) << entry.path() << " " << name;
      EXPECT_EQ(row_major(ours), theirs.bytes) << entry.path() << " " << name;
      strided += !ours.strides.empty();
      ++tensors;
    }
    ++files;
  }
  std::printf("%d torch files, %d tensors (%d strided) equal\n", files, tensors, strided);
  EXPECT_EQ(files, 15);
  EXPECT_GE(strided, 18);
}

TEST(TorchPeer, SettingsBesideTheTensorsAreADocument) {
  const std::filesystem::path folder = peers::oracle("torch_files");
  if (folder.empty()) GTEST_SKIP() << peers::missing_oracle("torch_files");
  for (const char* name : {"training.pt", "training_legacy.pt", "training_protocol4.pt"}) {
    const base::Json document = Checkpoint::open(folder / name).document();
    EXPECT_EQ(document["model_args"], base::Json::parse(R"({"n_layer":2,"bias":false})")) << name;
    EXPECT_EQ(document["iter_num"], 5000) << name;
    EXPECT_EQ(document["config"], base::Json::parse(R"({"device":"cuda","dtype":"bfloat16"})")) << name;
    EXPECT_EQ(document["best_val_loss"], base::Json::parse(R"({"tensor":"F32","shape":[]})")) << name;
    EXPECT_EQ(document["shape"], base::Json::parse("[2,3]")) << name;
    EXPECT_EQ(document["optimizer"]["state"]["0"]["exp_avg"]["shape"], base::Json::parse("[7,5]")) << name;
    EXPECT_FALSE(document.contains("model")) << name;
  }
}

TEST(TorchPeer, FilesThatWouldRunCodeAreRefusedByName) {
  const std::filesystem::path folder = peers::oracle("torch_files");
  if (folder.empty()) GTEST_SKIP() << peers::missing_oracle("torch_files");
  for (const auto& [name, words] : {std::pair{"system.pt", ".system'"},
                                    {"system_legacy.pt", ".system'"},
                                    {"module.pt", "'torch.nn.modules.linear.Linear'"},
                                    {"path.pt", "Path'"},
                                    {"complex.pt", "'torch.ComplexFloatStorage'"}}) {
    EXPECT_THAT(testing::refusal([&] { Checkpoint::open(folder / "hostile" / name); }),
                ::testing::AllOf(HasSubstr("would run code"), HasSubstr(words)))
        << name;
  }
  EXPECT_THAT(testing::refusal([&] { Checkpoint::open(folder / "hostile" / "script.pt"); }),
              HasSubstr("got a program of TorchScript"));
  EXPECT_FALSE(std::filesystem::exists("owned"));
}

}  // namespace
}  // namespace diopter::weights
