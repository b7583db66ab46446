// Whole runs of a real plugin in an engine that does nothing.
#include "host/runner.hpp"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/host/fake_elf.hpp"
#include "core/host/fakes.hpp"
#include "host/instance.hpp"
#include "host/run_params.hpp"
#include "host/stamp.hpp"
#include "study/kind_table.hpp"
#include "study/validator.hpp"

namespace diopter::host::test {
namespace {

LoadedKind test_kind() {
  const std::filesystem::path file = DIOPTER_TEST_PLUGIN;
  return load_kind({file, read_stamp(file), "test"});
}

std::vector<study::CheckedParam> params_with(const std::string& name, const std::string& value) {
  std::vector<study::CheckedParam> params;
  for (const diopter_param& row : study::params_of(*test_kind().kind)) {
    const std::string toml = row.name == name ? "'" + value + "'" : row.fallback;
    params.push_back(study::value_of_toml_text(row, toml).value());
  }
  return params;
}

struct Ran {
  Outcome outcome;
  KeepingSink sink;
};

void run(Ran& ran, const std::string& name, const std::string& value, MonitorOptions options = {}, Index layers = 1) {
  const LoadedKind kind = test_kind();
  const Folder scratch;
  const auto params = params_with(name, value);
  Monitor monitor(kind, resolve_hooks(kind, params, HookTable(tiny_info(layers)), "tiny"), std::move(options),
                  ran.sink);
  TinyEngine engine(monitor, layers);
  const RunInputs inputs{run_params(kind, params), {{"", lettered(at::zeros({2, 3}, at::kLong))}}, {}, scratch.path()};
  ran.outcome = run_analysis(kind, inputs, {engine, {engine.model().weight("W_E", 0)}}, monitor, ran.sink);
}

TEST(RunAnalysis, RecordsWhatWasLogged) {
  Ran ran;
  run(ran, "how", "well");
  EXPECT_EQ(ran.outcome.status, Outcome::Status::Succeeded) << ran.outcome.message;
  EXPECT_EQ(ran.sink.tensors.at("kl").value.sizes(), (at::IntArrayRef{2, 1, 3}));
}

struct Failure {
  const char* how;
  const char* id;
  std::string message;
};

class RunFails : public ::testing::TestWithParam<Failure> {};

TEST_P(RunFails, WithIdAndSentence) {
  Ran ran;
  run(ran, "how", GetParam().how, {}, 2);
  EXPECT_EQ(ran.outcome.status, Outcome::Status::Failed);
  EXPECT_EQ(ran.outcome.error_id, std::string("plugin.") + GetParam().id);
  EXPECT_EQ(ran.outcome.message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RunFails,
    ::testing::Values(
        Failure{"throw error", "run.throws", "kind 'test' failed: first_layer 8 is above last_layer 4"},
        Failure{"throw std", "run.throws_std", "kind 'test' threw a C++ exception while it ran: plain"},
        Failure{"throw int", "run.throws_int",
                "kind 'test' threw an int while it ran; throw diopter::Error with a sentence instead."},
        Failure{"throw memory", "run.memory", "kind 'test' ran out of memory: out of memory"},
        Failure{"throw torch", "run.torch",
                "kind 'test' failed in LibTorch: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"},
        Failure{"nothing", "finish.missing_output",
                "kind 'test' finished without writing its tensor 'kl'; write it or mark its row .optional = true."},
        Failure{"undeclared metric", "run.undeclared_output",
                "kind 'test' wrote metric 'los', which its table does not declare (did you mean 'loss'?); add "
                "metric(\"los\", ...)."},
        Failure{"wrong type", "run.undeclared_output",
                "kind 'test' wrote metric 'kl', which its table declares as a tensor; correct one of them."},
        Failure{"wrong param", "run.throws",
                "kind 'test' failed: parameter 'how' of kind 'test' is a std::string; it was asked for as double"},
        Failure{"undeclared hook", "run.undeclared_hook",
                "kind 'test' captured 'blocks.1.hook_resid_post', which no row of its table covers; add "
                "observe(\"blocks.*.hook_resid_post\", ...)."},
        Failure{"undeclared need", "run.undeclared_need",
                "kind 'test' asked for weights without saying so in its table; add needs(Need::Weights)."},
        Failure{"undeclared edits", "run.undeclared_need",
                "kind 'test' asked for the run's edits without saying so in its table; add needs(Need::Edits)."},
        Failure{"undeclared generation", "run.undeclared_need",
                "kind 'test' asked for generation without saying so in its table; add needs(Need::Generation)."},
        Failure{"undeclared training", "run.undeclared_need",
                "kind 'test' asked for training without saying so in its table; add needs(Need::Training)."},
        Failure{"undeclared stream", "run.undeclared_need",
                "kind 'test' asked for training without saying so in its table; add needs(Need::Training)."},
        Failure{"grad mode", "finish.globals",
                "kind 'test' changed the grad mode of LibTorch and left it so; restore it before run() returns."},
        Failure{
            "threads", "finish.globals",
            "kind 'test' changed the number of threads of LibTorch and left it so; restore it before run() returns."},
        Failure{"weights", "finish.weights",
                "kind 'test' changed 1 of the model's weights in place; clone() a weight before changing it."},
        Failure{"twice", "run.written_twice", "kind 'test' wrote text 'notes' twice; write it once."},
        Failure{"other thread", "run.throws",
                "kind 'test' failed: Log was called from another thread than the one that called run(); only "
                "progress() and "
                "stop_requested() may be"},
        Failure{"capture elsewhere", "run.throws",
                "kind 'test' failed: Context was called from another thread than the one that called run(); only "
                "progress() and stop_requested() may be"},
        Failure{"figure kind", "run.figure_kind",
                "figure 'grid' of kind 'test' is drawn as 'heatmapp', which no report can (did you mean 'heatmap'?); "
                "choose another."},
        Failure{"figure of", "run.undeclared_output",
                "figure 'grid' of kind 'test' has of = 'kll', which is none of its outputs (did you mean 'kl'?); name "
                "one."}),
    [](const auto& one) {
      std::string name = one.param.how;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

TEST(RunAnalysis, RestoresGlobalSettings) {
  const int threads = at::get_num_threads();
  const bool grad = c10::GradMode::is_enabled();
  Ran ran;
  run(ran, "how", "threads");
  run(ran, "how", "grad mode");
  EXPECT_EQ(at::get_num_threads(), threads);
  EXPECT_EQ(c10::GradMode::is_enabled(), grad);
}

TEST(RunAnalysis, StoppedIsCancelled) {
  Ran thrown;
  run(thrown, "how", "throw stopped");
  EXPECT_EQ(thrown.outcome.status, Outcome::Status::Cancelled);
  Ran asked;
  run(asked, "how", "undeclared hook", {.stop = [] { return true; }}, 2);
  EXPECT_EQ(asked.outcome.status, Outcome::Status::Cancelled);
  EXPECT_EQ(asked.outcome.message, "stopped by the user");
}

TEST(RunAnalysis, WarningsAreRecordedOrErrorsWhenStrict) {
  Ran ran;
  run(ran, "how", "warning");
  EXPECT_EQ(ran.outcome.status, Outcome::Status::Succeeded);
  EXPECT_EQ(ran.sink.events, std::vector<std::string>{"warning guard.gap: the gap is small"});  // said twice
  Ran strict;
  run(strict, "how", "warning", {.strict = true});
  EXPECT_EQ(strict.outcome.error_id, "plugin.run.warning");
  EXPECT_EQ(strict.outcome.message, "the gap is small (a warning, made an error by strict)");
}

TEST(RunAnalysis, LeavesOutFiguresOfAbsentOutputs) {
  Ran absent, present;
  run(absent, "how", "figure absent");
  run(present, "how", "figure");
  EXPECT_TRUE(absent.sink.figures.empty());
  EXPECT_EQ(present.sink.figures.at("grid").dump(),
            R"({"as":"token_grid","centre":0.0,"of":"kl","origin":"lower","text":"top.token"})");
}

TEST(RunAnalysis, RandomStreamsDependOnTheSeedAlone) {
  Ran first, again, other;
  run(first, "how", "random", {.seed = 7});
  run(again, "how", "random", {.seed = 7});
  run(other, "how", "random", {.seed = 8});
  EXPECT_EQ(first.sink.metrics.at("loss"), again.sink.metrics.at("loss"));
  EXPECT_NE(first.sink.metrics.at("loss"), other.sink.metrics.at("loss"));
}

TEST(RunAnalysis, AFullDiskIsNotThePluginsFault) {
  Ran ran;
  ran.sink.disk_is_full = true;
  try {
    run(ran, "how", "random");
    FAIL() << "nothing was thrown";
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Store);
  }
}

TEST(Preflight, TurnsWhatTheConstructorThrowsIntoAPluginError) {
  const LoadedKind kind = test_kind();
  const std::pair<const char*, std::pair<const char*, const char*>> cases[] = {
      {"error", {"refuses", "kind 'test' refused its parameters: first_layer 8 is above last_layer 4"}},
      {"std",
       {"throws_std",
        "kind 'test' threw a C++ exception while it was created (plain); throw diopter::Error with a sentence "
        "instead."}},
      {"int",
       {"throws_int", "kind 'test' threw an int while it was created; throw diopter::Error with a sentence instead."}},
      {"memory", {"memory", "kind 'test' ran out of memory while it was created: out of memory"}},
      {"stopped", {"stopped", "kind 'test' stopped while it was created: stopped by the user"}}};
  for (const auto& [how, expected] : cases) {
    const Params params(run_params(kind, params_with("create", how)));
    const PluginError error = error_of([&] { preflight(kind, params); });
    EXPECT_EQ(error.code(), expected.first);
    EXPECT_STREQ(error.what(), expected.second);
    EXPECT_EQ(error.exit(), base::Exit::Usage);
  }
  EXPECT_NO_THROW(preflight(kind, Params(run_params(kind, params_with("create", "well")))));
}

TEST(RunParams, TranslatesPositionsAndMetrics) {
  study::CheckedParam at, metrics;
  at.name = "at";
  study::Positions positions;
  positions.terms = {{.kind = study::PositionTerm::Kind::Last}, {.kind = study::PositionTerm::Kind::Generated}};
  at.value = positions;
  metrics.name = "metrics";
  metrics.value = study::Metrics{{"logit_diff", "rank"}, study::Positions::last(), true, 0.2};
  const Params params(run_params(test_kind(), {at, metrics}));
  EXPECT_EQ(params.get<Positions>("at").spec().terms.size(), 2u);
  const auto read = params.get<std::vector<Metric>>("metrics");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].name(), "rank");
  EXPECT_TRUE(read[0].spec().normalise);
  EXPECT_EQ(read[0].spec().min_gap, 0.2);
}

}  // namespace
}  // namespace diopter::host::test
