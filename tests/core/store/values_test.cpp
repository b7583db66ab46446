// Values that other stores lose: they come out as they went in.
#include <cmath>
#include <cstring>
#include <limits>

#include "core/exec/recording.hpp"
#include "exec/tensor_stats.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;
using store::Json;

struct OneRun {
  Scratch scratch;
  store::Plan plan = sample_plan(1);
  fs::path batch = make_batch(scratch.spool(), plan);
  SpoolWriter writer{batch, quiet()};
  store::Store store{scratch.store()};

  store::RunDetail arrive(Recorder& run) {
    run.end(success());
    writer.seal();
    const auto report = store::ingest_batch(store, batch, {.keep_spool = true});
    for (const auto& problem : report.problems) ADD_FAILURE() << problem.message;
    return store::Reader(scratch.store()).run(run.run_id());
  }
};

TEST(Values, Metrics) {
  using Limits = std::numeric_limits<double>;
  const double values[] = {0.0,
                           -0.0,
                           1.0,
                           0.1,
                           Limits::min(),
                           Limits::denorm_min(),
                           Limits::max(),
                           Limits::lowest(),
                           Limits::quiet_NaN(),
                           Limits::infinity(),
                           -Limits::infinity(),
                           9007199254740993.0,
                           1e22,
                           -1.0 / 3};
  OneRun r;
  Recorder run(r.writer, start_of(r.plan, 0));
  std::int64_t step = 0;
  for (const double value : values) run.metric("x", value, step++, value);
  run.metric("first", 1, std::numeric_limits<std::int64_t>::min());
  run.metric("last", 1, std::numeric_limits<std::int64_t>::max());
  r.arrive(run);
  const auto rows = store::Reader(r.scratch.store()).metrics(run.run_id(), {"x"});
  ASSERT_EQ(rows.size(), std::size(values));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(values[i])) {
      EXPECT_TRUE(std::isnan(rows[i].value));
      continue;  // and an error that is NaN is none
    }
    EXPECT_EQ(rows[i].value, values[i]);
    EXPECT_EQ(rows[i].stderr_, values[i]);
  }
  EXPECT_EQ(store::Reader(r.scratch.store()).metrics(run.run_id(), {"first"})[0].step,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(store::Reader(r.scratch.store()).metrics(run.run_id(), {"last"})[0].step,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM metric WHERE is_nan"), 1);
}

TEST(Values, Parameters) {
  OneRun r;
  auto start = start_of(r.plan, 0);
  start.config = {{"int", 7},
                  {"float", 7.0},
                  {"text", "007"},
                  {"empty", ""},
                  {"true", true},
                  {"one", 1},
                  {"null", nullptr},
                  {"min", std::numeric_limits<std::int64_t>::min()},
                  {"max", std::numeric_limits<std::int64_t>::max()},
                  {"huge", std::numeric_limits<std::uint64_t>::max()},
                  {"denormal", 5e-324},
                  {"emoji", "🦊 é\u200b\n\t"},
                  {"list", {1, 2.5, "x", Json::array()}},
                  {"nothing", Json::object()},
                  {"deep", {{"er", {{"est", 1}}}}},
                  {"long", std::string(10'000'000, 'p')},
                  {"at_512", std::string(512, 'a')},
                  {"at_513", std::string(513, 'a')}};
  Recorder run(r.writer, start);
  const auto detail = r.arrive(run);
  EXPECT_EQ(detail.config, start.config);
  std::map<std::string, store::ParamRow> by_key;
  for (const auto& row : detail.params) by_key.emplace(row.key, row);
  EXPECT_EQ(by_key.size(), 18u);
  for (const auto& [key, value] : start.config.items()) {
    if (key == "deep") continue;
    EXPECT_EQ(by_key.at(key).value, value) << key;
    EXPECT_EQ(by_key.at(key).value.is_number_float(), value.is_number_float()) << key;
    EXPECT_EQ(by_key.at(key).value.is_boolean(), value.is_boolean()) << key;
  }
  EXPECT_EQ(by_key.at("deep.er.est").value, Json(1));
  EXPECT_EQ(by_key.at("at_512").type, "text");
  EXPECT_EQ(by_key.at("at_513").type, "text_ref");
  EXPECT_EQ(by_key.at("huge").type, "json");
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM param WHERE key = 'int' AND typeof(value) = 'integer'"), 1);
  EXPECT_EQ(count(r.store, "SELECT count(*) FROM param WHERE key = 'float' AND typeof(value) = 'real'"), 1);
  EXPECT_EQ(
      count(r.store, "SELECT count(*) FROM param WHERE key = 'text' AND value = '007' AND typeof(value) = 'text'"), 1);
  EXPECT_EQ(count(r.store, "SELECT length(body) FROM text_blob ORDER BY 1 DESC LIMIT 1"), 10'000'000);
}

TEST(Values, FreeTextWithBadBytesIsEscapedAndNothingElse) {
  OneRun r;
  Recorder run(r.writer, start_of(r.plan, 0));
  run.event(exec::Level::Info, "note", std::string("a\0b\xff\xc3(", 6) + "🦊");
  run.output("notes", "text", std::string("one\0two", 7));
  run.end({.status = exec::RunStatus::Failed,
           .exit_code = 1,
           .error_type = "std::runtime_error",
           .message = "bad \xf0\x28 byte",
           .detail = "line 1\nline 2"});
  r.writer.seal();
  store::ingest_batch(r.store, r.batch, {.keep_spool = true});
  const auto detail = store::Reader(r.scratch.store()).run(run.run_id());
  EXPECT_EQ(detail.events.at(0).message, "a\\x00b\\xFF\\xC3(🦊");
  EXPECT_EQ(detail.outputs.at(0).doc, Json("one\\x00two"));
  EXPECT_EQ(detail.row.error, "bad \\xF0( byte");
  EXPECT_EQ(detail.error_detail, "line 1\nline 2");
  EXPECT_EQ(detail.row.error_type, "std::runtime_error");
}

TEST(Values, TensorsOfEveryTypeInsideAndBesideTheDatabase) {
  OneRun r;
  Recorder run(r.writer, start_of(r.plan, 0));
  std::map<std::string, std::string> payloads;
  for (const std::string dtype : {"f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool"}) {
    for (const std::int64_t elements : {std::int64_t{0}, std::int64_t{5}, std::int64_t{70'000}}) {
      const std::size_t size = exec::dtype_bytes(dtype);
      std::string bytes;
      for (std::int64_t i = 0; i < elements * static_cast<std::int64_t>(size); ++i) {
        bytes += static_cast<char>(dtype == "bool" ? i % 2 : i * 131 + (i >> 8));
      }
      const std::string name = dtype + " " + std::to_string(elements);
      run.tensor({.name = name,
                  .dtype = dtype,
                  .shape = {elements, 1},
                  .dims = {{{"name", "row"}}, {{"name", "one"}}},
                  .bytes = bytes});
      payloads[name] = bytes;
    }
  }
  const char scalar[8] = {};
  run.tensor({.name = "scalar", .dtype = "f64", .shape = {}, .dims = Json::array(), .bytes = {scalar, 8}});
  r.arrive(run);
  const store::Reader reader(r.scratch.store());
  for (const auto& [name, bytes] : payloads) {
    const auto data = reader.tensor(run.run_id(), name);
    EXPECT_EQ(data.bytes, bytes) << name;
    EXPECT_EQ(data.meta.path.has_value(), bytes.size() > 65'536) << name;
  }
  EXPECT_EQ(reader.tensor(run.run_id(), "scalar").meta.shape, std::vector<std::int64_t>{});
  EXPECT_EQ(reader.tensor(run.run_id(), "scalar").bytes, std::string(8, '\0'));
}

template <class T>
exec::TensorStats stats_of(const std::string& dtype, const std::vector<T>& values) {
  return exec::tensor_stats(dtype, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

TEST(Values, StatisticsOverFiniteValues) {
  const auto f32 = stats_of<float>("f32", {1.5f, -2, NAN, INFINITY});
  EXPECT_EQ(f32.vmin, -2.0);
  EXPECT_EQ(f32.vmax, 1.5);
  EXPECT_EQ(f32.nonfinite, 2);
  const auto half = stats_of<std::uint16_t>(
      "f16", {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00, 0x7E00});  // 1, -2, 65504, 2^-24, inf, NaN
  EXPECT_EQ(half.vmin, -2.0);
  EXPECT_EQ(half.vmax, 65504.0);
  EXPECT_EQ(half.nonfinite, 2);
  EXPECT_EQ(stats_of<std::uint16_t>("f16", {0x0001}).vmax, std::ldexp(1.0, -24));
  EXPECT_EQ(stats_of<std::uint16_t>("bf16", {0x3F80, 0xC040}).vmin, -3.0);
  EXPECT_EQ(stats_of<std::int64_t>("i64", {-5, 9}).vmax, 9.0);
  EXPECT_EQ(stats_of<std::uint8_t>("u8", {200, 3}).vmax, 200.0);
  EXPECT_EQ(stats_of<std::int8_t>("i8", {-128}).vmin, -128.0);
  EXPECT_EQ(stats_of<double>("f64", {}).vmin, std::nullopt);
  EXPECT_EQ(exec::dtype_bytes("f8"), 0u);
}

}  // namespace
}  // namespace diopter::testing
