// Patching sweeps of one model, for sweeps.py.
//
//   sweep_bench FOLDER THREADS   loads the model, then answers each line of standard input, a JSON object, with one
//                                line of JSON; what cannot be done is answered by {"error": sentence}
//
//   {"do": "sweep", "prompts": FILE, "hooks": [GLOB], "axes": [{"name": NAME, "indices": [...]}], "metric": NAME,
//    "compute": "float32" or "bfloat16" (the products of the blocks), "sample": [cell]}
//     FILE is safetensors: int64 `clean` and `corrupted` [prompt, pos], `answer` and `foil` [prompt]. Clean values are
//     put into corrupted runs, all cells. Answer: wall, cpu (seconds); cells, computed, skipped, operations,
//     reference_operations (Counts); resident memory in bytes when `idle` (after loading and one forward), `before`
//     the sweep, and its `peak`; `sum` of all values; `base`, `donor` [prompt]; `values` [sampled cell][prompt].
//   {"do": "forward", "batch": N, "pos": N}
//     One forward of random tokens, all logits. Answer: wall, cpu.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "base/canonical_json.hpp"
#include "benchmarks/measured.hpp"
#include "benchmarks/silent_monitor.hpp"
#include "core/model/expected.hpp"
#include "engine/session.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"

namespace diopter::engine {
namespace {

using base::Json;

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Prompts pairs(const std::string& file) {
  auto read = model::testing::read_tensors(file);
  return Prompts::tokens(read.at("clean"))
      .with("corrupted", read.at("corrupted"))
      .with("answer", read.at("answer"))
      .with("foil", read.at("foil"));
}

class SweepServer {
 public:
  explicit SweepServer(const std::string& folder)
      : model_(std::make_shared<const model::Transformer>(model::load(folder).parameters)),
        low_(std::make_shared<const model::Transformer>(model::with_products_in(model_->parameters(), at::kBFloat16))) {
    forward({{"batch", 8}, {"pos", 15}});
    idle_ = benchmarks::memory_bytes("VmRSS");
  }

  Json answer(const Json& request) const {
    const std::string what = request.at("do");
    if (what == "sweep") return sweep(request);
    if (what == "forward") return forward(request);
    throw Error(fmt::format("no such request: {}", what));
  }

 private:
  Json forward(const Json& request) const {
    const c10::InferenceMode no_graph;
    const std::vector<Index> shape{request.at("batch"), request.at("pos")};
    const at::Tensor ids = at::randint(0, model_->info().d_vocab, shape, at::kLong);
    const benchmarks::Stopwatch watch;
    model_->forward(ids);
    return {{"wall", watch.wall()}, {"cpu", watch.cpu()}};
  }

  Json sweep(const Json& request) const {
    benchmarks::SilentMonitor monitor;
    const std::string compute = request.at("compute");
    const bool low = compute == "bfloat16";
    if (!low && compute != "float32") throw Error(fmt::format("sweeps do not compute in {}", compute));
    Session session(low ? low_ : model_, nullptr, monitor, {.kind = "bench", .exact = low ? model_ : nullptr});
    const Prompts rows = pairs(request.at("prompts"));
    std::vector<Axis> axes;
    for (const Json& axis : request.at("axes")) {  // the names are text of `request`, which outlives the sweep
      axes.push_back({.name = axis.at("name").get_ref<const std::string&>(),
                      .indices = axis.at("indices").get<std::vector<Index>>()});
    }
    const Sweep sweep{.into = rows.corrupted(),
                      .hooks = HookSet(request.at("hooks").get<std::vector<std::string>>()),
                      .axes = axes,
                      .change = Change::replace(rows.clean()),
                      .metrics = {Metric::named(request.at("metric").get<std::string>())}};
    benchmarks::forget_peak();
    const std::int64_t before = benchmarks::memory_bytes("VmRSS");
    const benchmarks::Stopwatch watch;
    const Cells cells = session.sweep(sweep);
    Json answer{{"wall", watch.wall()}, {"cpu", watch.cpu()}};
    answer.update({{"idle", idle_}, {"before", before}, {"peak", benchmarks::memory_bytes("VmHWM")}});
    const Counts& counts = cells.counts();
    answer.update({{"cells", counts.cells},
                   {"computed", counts.computed},
                   {"skipped", counts.skipped},
                   {"operations", counts.operations},
                   {"reference_operations", counts.reference_operations}});
    const at::Tensor values = cells.values().reshape({counts.cells, rows.size()});
    answer.update({{"sum", values.sum().item<double>()},
                   {"base", numbers(cells.base())},
                   {"donor", numbers(cells.donor())},
                   {"values", Json::array()}});
    for (const Index cell : request.at("sample").get<std::vector<Index>>())
      answer["values"].push_back(numbers(values[cell]));
    return answer;
  }

  std::shared_ptr<const model::Transformer> model_, low_;  // low_: products in bfloat16
  std::int64_t idle_ = 0;
};

int serve(const std::string& folder) {
  const SweepServer server(folder);
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = server.answer(Json::parse(line));
    } catch (const Error& error) {
      answer = {{"error", error.what()}};
    }
    fmt::print("{}\n", base::plain_json(answer));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace diopter::engine

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: sweep_bench FOLDER THREADS\n");
    return 2;
  }
  at::set_num_threads(std::stoi(argv[2]));
  return diopter::engine::serve(argv[1]);
}
