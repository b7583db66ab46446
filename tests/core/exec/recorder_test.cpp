// From Recorder to Reader: everything a run can say arrives, in one process.
#include "exec/recorder.hpp"

#include <cmath>
#include <cstring>
#include <ctime>

#include "core/exec/recording.hpp"
#include "exec/provenance.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;
using store::Json;

struct Recorded {
  Scratch scratch;
  store::Plan plan = sample_plan();
  fs::path batch = make_batch(scratch.spool(), plan);
  std::unique_ptr<SpoolWriter> writer = std::make_unique<SpoolWriter>(batch, quiet());
  store::Store store{scratch.store()};

  store::IngestReport ingest() {
    writer->seal();
    return store::ingest_batch(store, batch);
  }
};

TEST(Recorder, ARunWithEverythingArrives) {
  Recorded r;
  const std::string plugin_hash = base::sha256("plugin");
  r.writer->fact("plugin", {{"sha256", plugin_hash},
                            {"id", "org.example.steering"},
                            {"version", "1.2.0"},
                            {"path", "/p.so"},
                            {"abi_stamp", "abi1"}});
  r.writer->fact("output_def", {{"kind", "steering"},
                                {"kind_version", 3},
                                {"name", "kl"},
                                {"type", "metric"},
                                {"unit", "nat"},
                                {"better", "lower"}});
  exec::RunStart start = start_of(r.plan, 1);
  start.plugin = plugin_hash;
  start.environment =
      exec::record_fact(*r.writer, "environment", exec::environment_fact({.program = "0.1.0", .libtorch = "2.13.0"}));
  start.source =
      exec::record_fact(*r.writer, "source_state", exec::source_fact(r.scratch.path(), {{"compiler", "g++"}}));
  start.config = {
      {"coefficient", 0.5},          {"top_k", 10},   {"zip", "007"}, {"flag", true}, {"prompt", std::string(600, 'x')},
      {"edit", {{"site", "resid"}}}, {"list", {1, 2}}};
  start.tags = {{"owner", "me"}};
  start.inputs = {{"model", base::sha256("model")}};
  {
    Recorder run(*r.writer, start);
    run.metric("kl", 0.25);
    run.metric("loss", 3.0, 1, 0.1);
    run.metric("loss", 2.0, 2);
    const float values[] = {1.5f, -2.0f, NAN};
    run.tensor({.name = "effect",
                .dtype = "f32",
                .shape = {1, 3},
                .dims = {{{"name", "layer"}, {"coord", {4}}},
                         {{"name", "pos"}, {"labels", {"<s>", " a", "\xff"}}, {"ids", {0, 5, 9}}}},
                .bytes = {reinterpret_cast<const char*>(values), sizeof(values)}});
    run.output("map", "figure", {{"as", "heatmap"}, {"of", "effect"}});
    const std::int64_t ranks[] = {3, 1};
    run.table("top", {{"columns", {"token", "rank"}}, {"token", {"a", "b"}}},
              {{.name = "top.rank",
                .dtype = "i64",
                .shape = {2},
                .dims = {{{"name", "row"}}},
                .bytes = {reinterpret_cast<const char*>(ranks), 16}}});
    base::write_file_atomically(r.scratch.path() / "log.txt", "hello\n");
    run.file("log.txt", "log", r.scratch.path() / "log.txt");
    fs::create_directories(r.scratch.path() / "model");
    base::write_file_atomically(r.scratch.path() / "model" / "w.bin", "weights");
    run.directory("model", "model", r.scratch.path() / "model");
    run.event(exec::Level::Warning, "guard.gap", "the gap is small", {{"gap", 0.1}});
    run.end(success());
  }
  const auto report = r.ingest();
  ASSERT_TRUE(report.problems.empty()) << report.problems.front().message;
  EXPECT_EQ(report.rejected, 0);

  const store::Reader reader(r.scratch.store());
  const auto list = reader.runs();
  ASSERT_EQ(list.total, 1);
  EXPECT_EQ(list.rows[0].status, "succeeded");
  EXPECT_EQ(list.rows[0].batch, "sample");
  EXPECT_EQ(list.rows[0].plugin, "org.example.steering");
  ASSERT_EQ(list.rows[0].last_metrics.size(), 2u);
  EXPECT_EQ(list.rows[0].last_metrics[0].value, 0.25);
  EXPECT_EQ(list.rows[0].last_metrics[1].value, 2.0);

  const store::RunDetail run = reader.run(reader.resolve_run("@1"));
  EXPECT_EQ(run.config, start.config);
  EXPECT_EQ(run.row.seed, 7);
  ASSERT_EQ(run.params.size(), 7u);
  EXPECT_EQ(run.params[0].key, "coefficient");
  EXPECT_EQ(run.params[0].value, Json(0.5));
  EXPECT_TRUE(run.params[0].swept);
  EXPECT_EQ(run.params[1].key, "edit.site");
  EXPECT_EQ(run.params[2].value, Json(true));
  EXPECT_EQ(run.params[4].type, "text_ref");
  EXPECT_EQ(run.params[4].value, Json(std::string(600, 'x')));
  EXPECT_EQ(run.params[6].value, Json("007"));
  ASSERT_EQ(run.tensors.size(), 2u);
  EXPECT_EQ(run.tensors[0].shape, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(run.tensors[0].vmin, -2.0);
  EXPECT_EQ(run.tensors[0].vmax, 1.5);
  EXPECT_EQ(run.tensors[0].nonfinite, 1);
  EXPECT_EQ(run.tensors[0].dims[1]["labels"][2], Json("\\xFF"));
  ASSERT_EQ(run.outputs.size(), 3u);
  EXPECT_EQ(run.outputs[0].name, "map");
  EXPECT_EQ(run.outputs[0].doc["of"], "effect");
  EXPECT_EQ(base::read_file(r.scratch.store() / *run.outputs[1].path / "w.bin"), "weights");
  ASSERT_EQ(run.artifacts.size(), 2u);
  EXPECT_EQ(base::read_file(r.scratch.store() / run.artifacts[0].path), "hello\n");
  ASSERT_EQ(run.inputs.size(), 1u);
  EXPECT_EQ(run.inputs[0].role, "model");
  ASSERT_EQ(run.events.size(), 1u);
  EXPECT_EQ(run.events[0].kind, "guard.gap");
  EXPECT_EQ(run.events[0].data["gap"], 0.1);
  ASSERT_EQ(run.declared.size(), 1u);
  EXPECT_EQ(run.declared[0].better, "lower");
  EXPECT_EQ(run.tags.at(0).value, "me");
  EXPECT_EQ(run.provenance.environment["libtorch"], "2.13.0");
  EXPECT_EQ(run.provenance.source_state["build"]["compiler"], "g++");
  EXPECT_EQ(run.provenance.manifest_source, "[[run]]\n");
  EXPECT_EQ(reader.metrics(run.row.id, {"loss"}).at(0).stderr_, 0.1);
  EXPECT_EQ(reader.items(r.plan.header.batch_id).at(1).state, "succeeded");
  EXPECT_EQ(reader.batch_runs(r.plan.header.batch_id), std::vector<std::string>{run.row.id});
  EXPECT_EQ(reader.succeeded({run.row.fingerprint}).at(run.row.fingerprint), run.row.id);
  expect_sound(r.store);
}

TEST(Recorder, ARunIsRunningAfterTheFirstSeal) {
  Recorded r;
  Recorder run(*r.writer, start_of(r.plan, 0));
  r.ingest();
  EXPECT_EQ(store::Reader(r.scratch.store()).row(run.run_id()).status, "running");
  run.metric("kl", 1.0);
  r.ingest();
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric"), 0);  // its step is still open
  run.end(success());
  r.ingest();
  EXPECT_EQ(store::Reader(r.scratch.store()).row(run.run_id()).status, "succeeded");
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric"), 1);
}

TEST(Recorder, ASecondValueForTheSameStepIsRefused) {
  Recorded r;
  Recorder run(*r.writer, start_of(r.plan, 0));
  run.metric("kl", 1.0, 5);
  run.metric("kl", 1.0, 3);
  expect_user_error([&] { run.metric("kl", 2.0, 5); }, base::Exit::Failed, "metric 'kl' was logged twice at step 5");
  expect_user_error([&] { run.metric("a\xff", 2.0); }, base::Exit::Failed, "expected a name in UTF-8 without NUL");
  run.tensor(vector_of("x", "u8", "ab"));
  expect_user_error([&] { run.tensor(vector_of("x", "u8", "ab")); }, base::Exit::Failed, "tensor 'x' was logged twice");
  run.output("t", "text", "once");
  expect_user_error([&] { run.output("t", "text", "twice"); }, base::Exit::Failed, "output 't' was logged twice");
  run.end(success());
  r.ingest();
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric WHERE value = 1.0"), 2);
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric"), 2);
}

TEST(Recorder, ARunThatWasNotEndedFailed) {
  Recorded r;
  std::string id;
  {
    Recorder run(*r.writer, start_of(r.plan, 0));
    id = run.run_id();
  }
  r.ingest();
  const auto row = store::Reader(r.scratch.store()).row(id);
  EXPECT_EQ(row.status, "failed");
  EXPECT_EQ(row.error, "the run stopped without saying how it went");
}

TEST(Recorder, LargeTensorsAndDocumentsBecomeFiles) {
  Recorded r;
  std::string bytes(65'537, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  const std::string limit = bytes.substr(0, 65'536), text(10'000'000, 'y');
  Recorder run(*r.writer, start_of(r.plan, 0));
  run.tensor(vector_of("large", "u8", bytes));
  run.tensor(vector_of("limit", "u8", limit));
  run.output("notes", "text", text);
  run.end(success());
  const auto report = r.ingest();
  ASSERT_TRUE(report.problems.empty()) << report.problems.front().message;
  const store::Reader reader(r.scratch.store());
  EXPECT_EQ(reader.tensor(run.run_id(), "large").bytes, bytes);
  EXPECT_EQ(reader.tensor(run.run_id(), "large").meta.path,
            "artifacts/" + run.run_id() + "/tensors/" + run.run_id() + ".1.safetensors");
  EXPECT_EQ(reader.tensor(run.run_id(), "limit").bytes, limit);
  EXPECT_FALSE(reader.tensor(run.run_id(), "limit").meta.path);
  EXPECT_EQ(reader.outputs(run.run_id()).at(0).doc, Json(text));
  expect_user_error([&] { reader.tensor(run.run_id(), "lareg"); }, base::Exit::NoMatch,
                    "the run has no tensor 'lareg' (did you mean 'large'?)");
}

TEST(Recorder, MetricsFromManyThreadsAllArrive) {
  Recorded r;
  Recorder run(*r.writer, start_of(r.plan, 0));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&run, t] {
      for (int step = 0; step < 500; ++step) run.metric("m" + std::to_string(t), step, step);
    });
  }
  for (auto& thread : threads) thread.join();
  run.end(success());
  EXPECT_TRUE(r.ingest().problems.empty());
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric"), 2000);
  EXPECT_EQ(count(r.store, "SELECT sum(value) FROM metric"), 4 * 499 * 500 / 2);
}

TEST(Recorder, RecordingAMetricIsCheap) {
  Recorded r;
  Recorder run(*r.writer, start_of(r.plan, 0));
  constexpr int kSteps = 50'000;
  const std::clock_t start = std::clock();  // of the processor: the machine may be busy with other things
  for (int step = 0; step < kSteps; ++step) {
    run.metric("loss", 1.0 / (step + 1), step);
    run.metric("accuracy", 0.5, step);
  }
  const double microseconds = 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("recording: %.2f us per metric, 2 per step (aim: 2 us)\n", microseconds / (2 * kSteps));
  run.end(success());
}

}  // namespace
}  // namespace diopter::testing
