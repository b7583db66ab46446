// Greedy generation from random prompts, for generate_vs_transformers.py.
//
//   generate_bench FOLDER THREADS   loads the model, then for each line "POS NEW plain|steered" of standard input
//                                   generates and answers "WALL CPU" in seconds
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "benchmarks/measured.hpp"
#include "benchmarks/silent_monitor.hpp"
#include "engine/session.hpp"
#include "model/load.hpp"

namespace diopter::engine {
namespace {

int serve(const std::string& folder) {
  benchmarks::SilentMonitor monitor;
  const auto model = std::make_shared<const model::Transformer>(model::load(folder).parameters);
  Session session(model, nullptr, monitor, {.kind = "bench"});
  const at::Tensor vector = at::randn({model->info().d_model}, at::kFloat);
  Index pos = 0, count = 0;
  std::string how;
  while (std::cin >> pos >> count >> how) {
    const Prompts prompt = Prompts::tokens(at::randint(0, model->info().d_vocab, {1, pos}, at::kLong));
    Edits edits;
    if (how == "steered") edits.at("blocks.6.hook_resid_post", Change::add(vector, 4.0));
    const benchmarks::Stopwatch watch;
    session.generate(prompt, {.max_new_tokens = count}, edits);
    fmt::print("{:.9f} {:.9f}\n", watch.wall(), watch.cpu());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace diopter::engine

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: generate_bench FOLDER THREADS\n");
    return 2;
  }
  at::set_num_threads(std::stoi(argv[2]));
  return diopter::engine::serve(argv[1]);
}
