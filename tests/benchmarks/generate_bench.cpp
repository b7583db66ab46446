// Greedy generation from random prompts, for generate_vs_transformers.py.
//
//   generate_bench FOLDER THREADS   loads the model, then for each line "POS NEW plain|steered" of standard input
//                                   generates and answers "WALL CPU" in seconds
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>

#include <diopter/error.hpp>

#include "engine/session.hpp"
#include "model/load.hpp"

namespace diopter::engine {
namespace {

class Silent final : public RunMonitor {
 public:
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {}
  bool stop_requested() const noexcept override { return false; }
  void warn(Text, Text sentence) override { throw Error(std::string(sentence)); }
  void event(Text, Text) override {}
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text) override { return at::detail::createCPUGenerator(1); }
};

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

int serve(const std::string& folder) {
  Silent monitor;
  const auto model = std::make_shared<const model::Transformer>(model::load(folder).parameters);
  Session session(model, nullptr, monitor, {.kind = "bench"});
  const at::Tensor vector = at::randn({model->info().d_model}, at::kFloat);
  Index pos = 0, count = 0;
  std::string how;
  while (std::cin >> pos >> count >> how) {
    const Prompts prompt = Prompts::tokens(at::randint(0, model->info().d_vocab, {1, pos}, at::kLong));
    Edits edits;
    if (how == "steered") edits.at("blocks.6.hook_resid_post", Change::add(vector, 4.0));
    const double cpu_start = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    session.generate(prompt, {.max_new_tokens = count}, edits);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{:.9f} {:.9f}\n", seconds.count(), cpu_seconds() - cpu_start);
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
