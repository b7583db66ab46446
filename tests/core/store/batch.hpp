// A batch with its plan in the spool, an empty store, and writers that leave segments behind.
#pragma once

#include <algorithm>
#include <vector>

#include "core/exec/recording.hpp"

namespace diopter::testing {

inline std::vector<fs::path> segments_of(const fs::path& writer) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(writer)) {
    if (entry.path().extension() == ".jsonl" || entry.path().extension() == ".open") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct Batch {
  Scratch scratch;
  store::Plan plan = sample_plan();
  fs::path spool = make_batch(scratch.spool(), plan);
  store::Store store{scratch.store()};

  store::IngestReport ingest() { return store::ingest_batch(store, spool, {.keep_spool = true}); }

  // A closed writer with `segments` segments: one run, one metric per segment.
  fs::path written(int segments, int item = 0) {
    exec::SpoolWriter writer(spool, quiet());
    exec::Recorder run(writer, start_of(plan, item));
    for (int i = 0; i < segments - 1; ++i) {
      run.metric("kl", i, i);
      run.event(exec::Level::Info, "tick", "");
      writer.seal();
    }
    run.end(success());
    writer.close();
    return writer.directory();
  }
};

inline void expect_problem(const store::IngestReport& report, const std::string& what) {
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].message.find(what), std::string::npos) << report.problems[0].message;
  EXPECT_EQ(report.exit(), base::Exit::Spooled);
}

}  // namespace diopter::testing
