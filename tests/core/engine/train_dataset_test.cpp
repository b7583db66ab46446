#include "engine/train_dataset.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <random>

#include <diopter_host/specs.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "core/engine/train_fixture.hpp"
#include "environment.hpp"

namespace diopter::engine {
namespace {

namespace fs = std::filesystem;

class Dataset : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("diopter_dataset_" + std::to_string(::getpid()));
  void TearDown() override { fs::remove_all(folder_); }
};

TEST_F(Dataset, ComesBackAsItWas) {
  const Prompts made = counting_documents(50)
                           .with("group", std::vector<std::string>(50, "a\"b"))
                           .with("weight", at::arange(50, at::kDouble))
                           .with("answer", at::arange(50, at::kLong).unsqueeze(1));
  save_dataset(made, {}, folder_);
  const Prompts back = load_dataset(folder_);
  EXPECT_TRUE(at::equal(back.inputs(), made.inputs()));
  EXPECT_EQ(back.column("group"), made.column("group"));
  EXPECT_TRUE(at::equal(back.numbers("weight"), made.numbers("weight")));
  EXPECT_TRUE(at::equal(back.answers(), made.answers()));
  const at::Tensor present = made.inputs().ge(0);
  EXPECT_TRUE(at::equal(back.numbers("counted"), made.numbers("counted").logical_and(present)));
}

TEST_F(Dataset, KeepsPairsAndAlignment) {
  const at::Tensor clean = at::tensor({1, 2, 3, 4, 5, -1}, at::kLong).view({2, 3}),
                   corrupted = at::tensor({7, 8, -1, 9, 1, 2}, at::kLong).view({2, 3});
  const Prompts made = Prompts::tokens(clean)
                           .with("corrupted", corrupted)
                           .with("map", at::tensor({0, -1, 1, 0, 1, -1}, at::kLong).view({2, 3}));
  save_dataset(made, {}, folder_);
  const Prompts back = load_dataset(folder_);
  EXPECT_TRUE(at::equal(back.corrupted().inputs(), made.corrupted().inputs()));
  EXPECT_EQ(back.data()->map, made.data()->map);
  EXPECT_EQ(back.data()->align, PromptsData::Align::Map);
}

TEST_F(Dataset, KeepsContinuousInputs) {
  const at::Tensor x = at::empty({3, 4, 2}).normal_(0, 1, generator(1));
  save_dataset(Prompts::values(x), {}, folder_);
  EXPECT_TRUE(at::equal(load_dataset(folder_).inputs(), x));
}

TEST_F(Dataset, BringsItsTokenizer) {
  const fs::path tokenizer = tests::source_folder() / "experiments" / "organism" / "tokenizer.json";
  save_dataset(counting_documents(3), tokenizer, folder_);
  const Prompts back = load_dataset(folder_);
  EXPECT_EQ(back.data()->tokenizer_file, folder_ / "tokenizer.json");
  EXPECT_EQ(base::read_file(back.data()->tokenizer_file), base::read_file(tokenizer));
  ASSERT_TRUE(back.data()->codec);
  EXPECT_EQ(back.data()->codec->encode(" Mary").size(), 1U);
}

TEST_F(Dataset, NamesWhatIsMissing) {
  EXPECT_THROW(load_dataset(folder_ / "nothing"), base::UserError);
  save_dataset(counting_documents(3), {}, folder_);
  std::ofstream(folder_ / "dataset.json") << R"({"format": "diopter.dataset/9", "pairs": false})";
  try {
    load_dataset(folder_);
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_NE(std::string(error.what()).find("diopter.dataset/9"), std::string::npos);
  }
}

// Damaged files are refused, never followed.
TEST_F(Dataset, SurvivesMutations) {
  const Prompts made =
      counting_documents(20).with("group", std::vector<std::string>(20, "g")).with("answer", at::arange(20, at::kLong));
  save_dataset(made, {}, folder_);
  const fs::path files[] = {folder_ / "documents.safetensors", folder_ / "dataset.json"};
  const std::string whole[] = {base::read_file(files[0]), base::read_file(files[1])};
  const auto write = [&files](std::size_t file, const std::string& bytes) {
    std::ofstream(files[file], std::ios::binary) << bytes;
  };
  std::mt19937 random(7);
  int refused = 0;
  for (std::size_t round = 0; round < 500; ++round) {
    const std::size_t damaged = round % 2;
    std::string bytes = whole[damaged];
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    write(damaged, bytes);
    write(1 - damaged, whole[1 - damaged]);
    try {
      const Prompts back = load_dataset(folder_);
      EXPECT_LE(back.size(), 1000);
    } catch (const base::UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 125);
}

}  // namespace
}  // namespace diopter::engine
