#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "core/engine/train_fixture.hpp"
#include "engine/train_dataset.hpp"
#include "environment.hpp"
#include "model/load.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {
namespace {

namespace fs = std::filesystem;
constexpr AdamW kWith{.lr = 3e-3, .beta2 = 0.98, .weight_decay = 0.1, .clip = 1};
constexpr Init kInit{.embed = 0.1, .linear = 0.8, .by_fan_in = true, .sinusoidal = true};

class Training : public ::testing::Test {
 protected:
  struct Run {
    std::shared_ptr<TrainableBackend> model;
    std::shared_ptr<StreamBackend> stream;
    double go(int steps) {
      double loss = 0;
      for (int step = 0; step < steps; ++step) loss = train_step(*model, *stream, kWith);
      return loss;
    }
  };
  static Run begin(std::uint64_t seed = 1) {
    Run run{make_trainable(small_shape(), kInit, generator(seed)),
            make_stream(counting_documents(50), {.rows = 16, .micro_rows = 3}, generator(seed + 100))};
    run.model->attach(run.stream);
    return run;
  }
  fs::path folder_ = fs::temp_directory_path() / ("diopter_training_" + std::to_string(::getpid()));
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
};

TEST_F(Training, LowersTheLoss) {
  Run run = begin();
  const double first = run.go(1), last = run.go(199);
  std::printf("loss %.3f after one step, %.3f after 200\n", first, last);
  EXPECT_GT(first, 3);   // ln 40 = 3.69
  EXPECT_LT(last, 0.5);  // each id follows from the one before
}

TEST_F(Training, IsTheSameTwice) {
  Run a = begin(), b = begin(), other = begin(2);
  a.go(20);
  b.go(20);
  other.go(20);
  EXPECT_TRUE(equal_weights(*a.model, *b.model));
  EXPECT_FALSE(equal_weights(*a.model, *other.model));
}

TEST_F(Training, ResumesBitForBit) {
  Run straight = begin();
  straight.go(60);
  Run first = begin();
  first.go(30);
  first.model->save(folder_ / "checkpoint");
  Run second = begin();
  ASSERT_TRUE(second.model->resume(folder_ / "checkpoint"));
  EXPECT_EQ(second.model->steps(), 30);
  second.go(30);
  EXPECT_EQ(second.model->steps(), 60);
  EXPECT_TRUE(equal_weights(*straight.model, *second.model));
}

TEST_F(Training, ThreadsChangeNoBit) {
  const int before = at::get_num_threads();
  std::vector<Run> runs;
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    runs.push_back(begin());
    runs.back().go(20);
  }
  at::set_num_threads(before);
  EXPECT_TRUE(equal_weights(*runs[0].model, *runs[1].model));
  EXPECT_TRUE(equal_weights(*runs[0].model, *runs[2].model));
}

TEST_F(Training, ReplacesAnEarlierCheckpoint) {
  Run run = begin();
  for (int save = 0; save < 3; ++save) {
    run.go(2);
    run.model->save(folder_ / "checkpoint");
  }
  Run again = begin();
  ASSERT_TRUE(again.model->resume(folder_ / "checkpoint"));
  EXPECT_EQ(again.model->steps(), 6);
  EXPECT_FALSE(fs::exists(folder_ / "checkpoint.new"));
  EXPECT_FALSE(fs::exists(folder_ / "checkpoint.old"));
}

TEST_F(Training, SurvivesAKillBetweenTheTwoRenames) {
  Run run = begin();
  run.go(2);
  run.model->save(folder_ / "checkpoint");
  fs::rename(folder_ / "checkpoint", folder_ / "checkpoint.old");
  fs::create_directories(folder_ / "checkpoint.new");  // half written
  Run again = begin();
  ASSERT_TRUE(again.model->resume(folder_ / "checkpoint"));
  EXPECT_EQ(again.model->steps(), 2);
}

TEST_F(Training, StartsAnewWithoutACheckpoint) {
  Run run = begin();
  EXPECT_FALSE(run.model->resume(folder_ / "nothing"));
  EXPECT_EQ(run.model->steps(), 0);
}

TEST_F(Training, RefusesACheckpointOfAnotherShapeOrOfOtherData) {
  Run run = begin();
  run.model->save(folder_ / "checkpoint");
  ModelInfo wide = small_shape();
  wide.d_mlp = 64;
  const auto other_shape = make_trainable(wide, kInit, generator(1));
  EXPECT_THROW(other_shape->resume(folder_ / "checkpoint"), Error);
  Run other_data = begin(2);
  EXPECT_THROW(other_data.model->resume(folder_ / "checkpoint"), Error);
  std::ofstream(folder_ / "checkpoint" / "state.json") << "{";
  EXPECT_THROW(begin().model->resume(folder_ / "checkpoint"), Error);
}

TEST_F(Training, ExportsWhatItComputes) {
  Run run = begin();
  run.go(5);
  run.model->export_model(folder_ / "model");
  const model::Transformer loaded(model::load(folder_ / "model").parameters);
  const at::Tensor ids = at::arange(12, at::kLong).unsqueeze(0);
  EXPECT_TRUE(at::equal(loaded.forward(ids), run.model->forward(ids).detach()));
}

// The data brings its tokenizer along; config.json names its ids, null without one.
TEST_F(Training, ExportsTheTokenizerAndItsEndTokens) {
  const fs::path tokenizer = tests::source_folder() / "experiments" / "organism" / "tokenizer.json";
  save_dataset(counting_documents(20), tokenizer, folder_ / "data");
  Run run{make_trainable(small_shape(), kInit, generator(1)),
          make_stream(load_dataset(folder_ / "data"), {.rows = 16}, generator(2))};
  run.model->export_model(folder_ / "without");
  run.model->attach(run.stream);
  run.model->export_model(folder_ / "with");
  const auto config = [&](const char* name) {
    return base::Json::parse(base::read_file(folder_ / name / "config.json"));
  };
  EXPECT_EQ(config("with").at("bos_token_id"), 0);
  EXPECT_EQ(config("with").at("eos_token_id"), 0);
  EXPECT_TRUE(config("without").at("bos_token_id").is_null());
  EXPECT_EQ(base::read_file(folder_ / "with" / "tokenizer.json"), base::read_file(tokenizer));
  EXPECT_FALSE(fs::exists(folder_ / "without" / "tokenizer.json"));
}

TEST_F(Training, InitialWeightsHaveTheirDeviations) {
  ModelInfo shape = small_shape();
  shape.d_model = 128;
  shape.d_head = 64;
  shape.d_mlp = 512;
  shape.d_vocab = 500;
  shape.attention_scale = 0.125;
  const auto model = make_trainable(shape, kInit, generator(3));
  const std::vector<at::Tensor> weights =
      model->parameters();  // embed, pos_embed, ln1 gain and bias, qkv, bias, out, ...
  const auto deviation = [](const at::Tensor& t) { return t.detach().std(false).item<double>(); };
  EXPECT_NEAR(deviation(weights[0]), 0.1, 0.002);
  EXPECT_NEAR(weights[1].abs().max().item<double>(), 0.1, 1e-4);  // sines and cosines
  EXPECT_NEAR(weights[1][3][0].item<double>(), 0.1 * std::sin(3.0), 1e-6);
  EXPECT_NEAR(weights[1][3][1].item<double>(), 0.1 * std::cos(3.0), 1e-6);
  EXPECT_NEAR(deviation(weights[4]), 0.8 / std::sqrt(128.0), 0.002);  // qkv
  EXPECT_NEAR(deviation(weights[6]), 0.8 / std::sqrt(128.0) / 2,
              0.001);  // writes into the stream: / sqrt(2 * 2 layers)
  EXPECT_NEAR(deviation(weights[12]), 0.8 / std::sqrt(512.0) / 2, 0.001);
}

TEST_F(Training, RefusesLogitsThatItsLossDoesNotKnow) {
  ModelInfo biased = small_shape(), capped = small_shape();
  biased.unembed_bias = true;
  capped.logit_softcap = 30;
  EXPECT_THROW(make_trainable(biased, kInit, generator(1)), Error);
  EXPECT_THROW(make_trainable(capped, kInit, generator(1)), Error);
}

TEST_F(Training, RefusesAShapeItCannotRun) {
  ModelInfo shape = small_shape();
  shape.family = "no such family";
  shape.positions = PositionKind::Rotary;
  EXPECT_THROW(make_trainable(shape, kInit, generator(1)), Error);
}

}  // namespace
}  // namespace diopter::engine
