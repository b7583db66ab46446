#include "core/exec/kill_analysis.hpp"

#include <unistd.h>

#include <random>

#include "core/exec/recording.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;

class Analysis {
 public:
  Analysis(Ledger& ledger, SpoolWriter& writer, const store::Plan& plan, std::mt19937_64& random)
      : ledger_(ledger), writer_(writer), random_(random), run_(writer, start(plan, random)) {
    ledger_.add(run_.run_id(), Said::Started);
  }

  void work() {
    const auto steps = static_cast<std::int32_t>(1 + random_() % 60);
    for (std::int32_t step = 0; step < steps; ++step) {
      metrics(step);
      something_else(step);
      if (random_() % 12 == 0) seal();
      if (random_() % 3 == 0) ::usleep(static_cast<useconds_t>(random_() % 1500));
    }
    run_.end(success());  // its first group are the metrics of the last step
    ledger_.add(run_.run_id(), Said::Step, steps - 1);
    ledger_.add(run_.run_id(), Said::Ended);
    if (random_() % 2 == 0) seal();
  }

 private:
  static exec::RunStart start(const store::Plan& plan, std::mt19937_64& random) {
    return start_of(plan, static_cast<int>(random() % plan.items.size()));
  }

  void seal() {
    const std::uint32_t covered = ledger_.appended;
    writer_.seal();
    ledger_.sealed = covered;
  }

  void metrics(std::int32_t step) {
    for (const char* name : kMetricsOfAStep) {
      run_.metric(name, value_of(run_.run_id(), name, step), step);
      if (name == kMetricsOfAStep[0] && step > 0) ledger_.add(run_.run_id(), Said::Step, step - 1);  // it was closed
    }
  }

  void something_else(std::int32_t step) {
    const std::string suffix = std::to_string(step), small = bytes_of(run_.run_id(), step, kSmallBytes);
    switch (random_() % 14) {
      case 0:
        run_.tensor(vector_of("small" + suffix, "u8", small));
        return ledger_.add(run_.run_id(), Said::Small, step);
      case 1:
        run_.tensor(vector_of("large" + suffix, "u8", bytes_of(run_.run_id(), step, kLargeBytes)));
        return ledger_.add(run_.run_id(), Said::Large, step);
      case 2:
        run_.table("top" + suffix, {{"columns", {"x", "y"}}},
                   {vector_of("top" + suffix + ".x", "u8", small), vector_of("top" + suffix + ".y", "u8", small)});
        return ledger_.add(run_.run_id(), Said::Table, step);
      case 3: run_.output("text" + suffix, "text", small); return ledger_.add(run_.run_id(), Said::Text, step);
      case 4: run_.event(exec::Level::Info, "tick" + suffix, ""); return ledger_.add(run_.run_id(), Said::Event, step);
      default: return;
    }
  }

  Ledger& ledger_;
  SpoolWriter& writer_;
  std::mt19937_64& random_;
  Recorder run_;
};

}  // namespace

double value_of(const std::string& run, const std::string& metric, std::int64_t step) {
  return static_cast<double>(8 * step + metric.front() - 'a') + run.back() / 256.0;
}

std::string bytes_of(const std::string& run, std::int64_t step, std::size_t size) {
  std::string out(size, static_cast<char>('0' + step));
  out.replace(0, run.size(), run);
  return out;
}

void analyse(Ledger& ledger, const std::filesystem::path& batch, const store::Plan& plan, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  exec::SpoolOptions options = quiet();
  options.background = true;
  options.seal_interval = std::chrono::milliseconds(2 + random() % 30);
  options.heartbeat = std::chrono::milliseconds(5 + random() % 60);
  SpoolWriter writer(batch, options);
  std::memcpy(ledger.writer, writer.writer_id().c_str(), sizeof(ledger.writer));
  const std::uint64_t runs = random() % 3 == 0 ? 1 + random() % 4 : UINT64_MAX;
  for (std::uint64_t i = 0; i < runs && !ledger.full(); ++i) Analysis(ledger, writer, plan, random).work();
  if (runs != UINT64_MAX) {
    writer.close();
    ledger.sealed = ledger.appended.load();
    ledger.closed = true;
  } else {
    for (;;) ::pause();  // it said enough; its heart beats on
  }
}

}  // namespace diopter::testing
