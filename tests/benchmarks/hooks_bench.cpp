// Forwards that show their values, for hooks.py.
//
//   hooks_bench FOLDER THREADS   loads the model, then answers each line of standard input, a JSON object, with one
//                                line of JSON. `ids`: [[token]], one prompt a row. Seconds are wall-clock.
//
//   {"do": "forward", "ids": ..., "bus": bool}
//     All logits, with or without a hook bus to which nobody has subscribed. Answer: seconds; cpu: of all threads.
//   {"do": "cache", "ids": ..., "points": [GLOB], "digests": bool}
//     One capture of these points, and all logits. Answer: seconds, bytes, tensors; copy_seconds: copying them once
//     more; `digests`: of each point, see digest().
//   {"do": "lens", "ids": ..., "values": bool}
//     The logit lens after every layer, as the plugin of that name reads it: the five most likely tokens, entropy, KL
//     from the output. Answer: seconds; `token` (the most likely), its `log_prob`, `entropy`, `kl`, each
//     [layer][prompt and position].
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
#include "engine/bus.hpp"
#include "engine/session.hpp"
#include "model/load.hpp"

namespace diopter::engine {
namespace {

using base::Json;

at::Tensor ids_of(const Json& request) {
  std::vector<Index> flat;
  for (const Json& row : request.at("ids")) flat.insert(flat.end(), row.begin(), row.end());
  const auto rows = static_cast<Index>(request.at("ids").size());
  return at::tensor(flat, at::kLong).reshape({rows, -1});
}

// What tells one tensor from another, in order and in size: its product with a wave, and its root mean square. Masked
// scores are infinite and count as 0.
Json digest(const at::Tensor& value) {
  const at::Tensor flat = value.to(at::kDouble).flatten().nan_to_num(0, 0, 0);
  const at::Tensor wave = at::arange(flat.numel(), at::kDouble).mul(0.1).cos();
  return {flat.dot(wave).item<double>() / static_cast<double>(flat.numel()),
          flat.square().mean().sqrt().item<double>()};
}

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

class HooksServer {
 public:
  explicit HooksServer(const std::string& folder)
      : model_(std::make_shared<const model::Transformer>(model::load(folder).parameters)),
        session_(model_, nullptr, monitor_, {.kind = "bench"}) {}

  Json answer(const Json& request) {
    const std::string what = request.at("do");
    if (what == "forward") return forward(request);
    if (what == "cache") return cache(request);
    if (what == "lens") return lens(request);
    throw Error(fmt::format("no such request: {}", what));
  }

 private:
  Json forward(const Json& request) const {
    const c10::InferenceMode no_graph;
    const at::Tensor ids = ids_of(request);
    HookBus bus(model_->hooks());
    bus.freeze();
    model::Pass pass;
    if (request.at("bus")) pass.tap = &bus;
    const benchmarks::Stopwatch watch;
    model_->forward(ids, pass);
    return {{"seconds", watch.wall()}, {"cpu", watch.cpu()}};
  }

  Json cache(const Json& request) {
    const Prompts rows = Prompts::tokens(ids_of(request));
    const HookSet points(request.at("points").get<std::vector<std::string>>());
    const benchmarks::Stopwatch watch;
    const Capture seen = session_.capture(rows, points, {}, {});
    const at::Tensor logits = seen.logits();
    Json answer{{"seconds", watch.wall()}, {"digests", Json::object()}};
    std::int64_t bytes = 0, tensors = 0;
    std::vector<at::Tensor> copies;
    const benchmarks::Stopwatch copying;
    for (const auto& [point, value] : seen) copies.push_back(value.clone());
    answer["copy_seconds"] = copying.wall();
    for (const auto& [point, value] : seen) {
      bytes += value.numel() * static_cast<std::int64_t>(value.element_size());
      ++tensors;
      if (request.at("digests")) answer["digests"][std::string(point.name)] = digest(value);
    }
    if (request.at("digests")) answer["digests"]["logits"] = digest(logits);
    answer.update({{"bytes", bytes}, {"tensors", tensors}});
    return answer;
  }

  Json lens(const Json& request) {
    const Prompts rows = Prompts::tokens(ids_of(request));
    const benchmarks::Stopwatch watch;
    const Capture seen = session_.capture(rows, "blocks.*.hook_resid_post", {}, {});
    std::vector<at::Tensor> layers;
    for (const auto& [point, resid] : seen) layers.push_back(resid);
    const Readout lens =
        session_.model().read(at::stack(layers), {.top_k = 5, .kl_from = seen.resid(), .entropy = true});
    Json answer{{"seconds", watch.wall()}, {"token", {}}, {"log_prob", {}}, {"entropy", {}}, {"kl", {}}};
    if (!request.at("values")) return answer;
    for (Index layer = 0; layer < lens.kl.size(0); ++layer) {
      answer["token"].push_back(numbers(lens.token[layer].select(-1, 0)));
      answer["log_prob"].push_back(numbers(lens.log_prob[layer].select(-1, 0)));
      answer["entropy"].push_back(numbers(lens.entropy[layer]));
      answer["kl"].push_back(numbers(lens.kl[layer]));
    }
    return answer;
  }

  benchmarks::SilentMonitor monitor_;
  std::shared_ptr<const model::Transformer> model_;
  Session session_;
};

int serve(const std::string& folder) {
  HooksServer server(folder);
  for (std::string line; std::getline(std::cin, line);) {
    fmt::print("{}\n", base::plain_json(server.answer(Json::parse(line))));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace diopter::engine

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: hooks_bench FOLDER THREADS\n");
    return 2;
  }
  at::set_num_threads(std::stoi(argv[2]));
  return diopter::engine::serve(argv[1]);
}
