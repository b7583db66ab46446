// Tokenizer speed: bytes a second on one core. DIOPTER_BENCH_TOKENIZER names a tokenizer.json (default: GPT-2's).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>

#include "base/files.hpp"
#include "text/tokenizer.hpp"

namespace {

using diopter::text::Tokenizer;

std::string file() {
  const char* named = std::getenv("DIOPTER_BENCH_TOKENIZER");
  return named ? named : "../shared/tokenizers/gpt2/tokenizer.json";
}

const Tokenizer& tokenizer() {
  static const Tokenizer kTokenizer = Tokenizer::load(file());
  return kTokenizer;
}

// Words as they recur in prose.
std::string prose() {
  static const char* const kWords[] = {"the",      "of",    "When",      "Mary",       "John",
                                       "went",     "store", "gave",      "bottle",     "milk",
                                       "language", "model", "attention", "activation", "and",
                                       "in",       "don't", "circuit",   "patching",   "interpretability"};
  std::mt19937_64 random(1);
  std::string out;
  while (out.size() < 1'000'000) {
    out += kWords[random() % std::size(kWords)];
    out += random() % 9 == 0 ? ", " : random() % 13 == 0 ? ".\n" : " ";
  }
  return out;
}

// Every word new: no help from the cache of words.
std::string random_words() {
  std::mt19937_64 random(2);
  std::string out;
  while (out.size() < 1'000'000) {
    for (std::size_t n = 2 + random() % 8; n > 0; --n) out += static_cast<char>('a' + random() % 26);
    out += ' ';
  }
  return out;
}

void encode(benchmark::State& state, const std::string& text) {
  tokenizer().encode(text);
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer().encode(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizer::load(file()));
}

void decode(benchmark::State& state) {
  const auto ids = tokenizer().encode(prose());
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer().decode(ids));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * ids.size()));
}

BENCHMARK_CAPTURE(encode, prose, prose());
BENCHMARK_CAPTURE(encode, random_words, random_words());
BENCHMARK(decode);
BENCHMARK(load)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
