// Forward passes of a GPT-2-small-shaped model with random weights. No graph, no tap.
//
//   forward_bench                        Google Benchmark's table: batch x pos, and what observing everything adds
//   forward_bench --serve FOLDER THREADS DTYPE for forward_vs_transformers.py: loads the model, then for each line
//   "BATCH POS" of standard
//                                        input runs one forward and answers "WALL CPU" in seconds
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>

#include "benchmarks/measured.hpp"
#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

ModelInfo gpt2_small() {
  ModelInfo info;
  info.family = "gpt2";
  info.n_layers = 12;
  info.n_heads = info.n_kv_heads = 12;
  info.d_model = 768;
  info.d_head = 64;
  info.d_mlp = 3072;
  info.d_vocab = 50257;
  info.n_ctx = 1024;
  info.attention_scale = 0.125;
  return info;
}

const Transformer& shared_model() {
  static const Transformer model = testing::random_model(gpt2_small());
  return model;
}

// Multiplications and additions of the linear parts, twice as in GEMM counts.
double flops(const ModelInfo& info, Index tokens, Index pos) {
  const double per_layer = 2.0 * static_cast<double>(info.d_model * (4 * info.d_model + 2 * info.d_mlp)) +
                           4.0 * static_cast<double>(pos * info.d_model);
  return static_cast<double>(tokens) *
         (static_cast<double>(info.n_layers) * per_layer + 2.0 * static_cast<double>(info.d_model * info.d_vocab));
}

void forward(benchmark::State& state) {
  const c10::InferenceMode no_graph;
  const Transformer& model = shared_model();
  const at::Tensor ids = testing::random_ids(model.info(), state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(model.forward(ids));
  state.counters["flop"] = benchmark::Counter(flops(model.info(), ids.numel(), state.range(1)),
                                              benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(forward)
    ->Args({8, 15})
    ->Args({1, 128})
    ->Args({1, 1024})
    ->Args({16, 128})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void explicit_attention(benchmark::State& state) {
  const c10::InferenceMode no_graph;
  const at::Tensor ids = testing::random_ids(shared_model().info(), state.range(0), state.range(1));
  Pass pass;
  pass.path.explicit_attention = true;
  for (auto _ : state) benchmark::DoNotOptimize(shared_model().forward(ids, pass));
}
BENCHMARK(explicit_attention)
    ->Args({8, 15})
    ->Args({1, 128})
    ->Args({1, 1024})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void tap_that_wants_nothing(benchmark::State& state) {
  const c10::InferenceMode no_graph;
  const at::Tensor ids = testing::random_ids(shared_model().info(), state.range(0), state.range(1));
  testing::RecordingTap tap(shared_model().hooks(), {});
  for (auto _ : state) benchmark::DoNotOptimize(shared_model().forward(ids, {&tap}));
}
BENCHMARK(tap_that_wants_nothing)->Args({8, 15})->Args({1, 128})->Unit(benchmark::kMillisecond)->UseRealTime();

void one_more_token_with_cache(benchmark::State& state) {
  const c10::InferenceMode no_graph;
  const Transformer& model = shared_model();
  KvCache cache(model.info(), 1, state.range(0) + 1, at::kFloat);
  model.forward(testing::random_ids(model.info(), 1, state.range(0)), {}, {&cache});
  const at::Tensor next = testing::random_ids(model.info(), 1, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.forward(next, {}, {&cache}));
    cache.truncate(state.range(0));
  }
}
BENCHMARK(one_more_token_with_cache)->Arg(15)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();

// From a folder in the page cache to the logits of one prompt.
void load_and_first_forward(benchmark::State& state) {
  const c10::InferenceMode no_graph;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("diopter_forward_bench_{}", ::getpid());
  save(shared_model().parameters(), folder);
  for (auto _ : state) {
    const Transformer model(load(folder).parameters);
    benchmark::DoNotOptimize(model.forward(testing::random_ids(model.info(), 1, 15)));
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(load_and_first_forward)->Unit(benchmark::kMillisecond)->UseRealTime();

int serve(const std::string& folder, at::ScalarType dtype) {
  const c10::InferenceMode no_graph;
  const Transformer model(load(folder, dtype).parameters);
  Index batch = 0, pos = 0;
  while (std::cin >> batch >> pos) {
    const at::Tensor ids = testing::random_ids(model.info(), batch, pos);
    const benchmarks::Stopwatch watch;
    const at::Tensor logits = model.forward(ids);
    fmt::print("{:.9f} {:.9f}\n", watch.wall(), watch.cpu());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace diopter::model

int main(int argc, char** argv) {
  const bool serving = argc == 5 && std::strcmp(argv[1], "--serve") == 0;
  at::set_num_threads(serving ? std::stoi(argv[3]) : 2);
  if (serving) return diopter::model::serve(argv[2], diopter::model::dtype_named(argv[4]));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
