// However the segments of several writers are cut, ordered, repeated, torn and completed, and whoever ingests between:
// the store ends with the same content.
#include <fmt/core.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/exec/recording.hpp"
#include "core/store/canonical_dump.hpp"
#include "core/store/spool_story.hpp"

namespace diopter::testing {
namespace {

using store::Store;

int below(int limit) { return *rc::gen::inRange(0, limit); }
bool one_in(int n) { return below(n) == 0; }
std::size_t index_below(std::size_t limit) { return *rc::gen::inRange<std::size_t>(0, limit); }

// One run of random length with a little of everything; sometimes its writer goes without ending it.
void tell_a_run(exec::SpoolWriter& writer, const store::Plan& plan) {
  auto start = start_of(plan, below(static_cast<int>(plan.items.size())));
  start.inputs = {{"model", base::sha256("model")}};
  exec::Recorder run(writer, start);
  for (int step = 0, steps = below(4); step < steps; ++step) {
    run.metric("kl", step == 2 ? std::nan("") : 0.5 * step, step);
    run.metric("loss", -step, step, 0.25);
  }
  if (one_in(2)) run.tensor(vector_of("small", "u8", "abc"));
  if (one_in(3)) run.tensor(vector_of("large", "u8", std::string(65'600, static_cast<char>('a' + below(20)))));
  if (one_in(3)) {
    run.table("top", {{"columns", {"token", "rank"}}, {"token", {"a"}}}, {vector_of("top.rank", "u8", "7")});
  }
  if (one_in(3)) run.output("notes", "text", "text");
  if (one_in(3)) run.event(exec::Level::Warning, "guard.gap", "small", {{"gap", 0.1}});
  switch (below(4)) {
    case 0: run.end({.status = exec::RunStatus::Failed, .error_type = "x", .message = "it failed"}); break;
    case 1: break;  // the recorder says so itself
    default: run.end(success());
  }
}

struct World {
  Scratch origin;
  store::Plan plan = sample_plan();
  std::vector<Story> stories;

  World() {
    const fs::path batch = make_batch(origin.path(), plan);
    for (int w = 0, writers = 1 + below(4); w < writers; ++w) {
      exec::SpoolWriter writer(batch, quiet());
      writer.fact("environment", {{"sha256", base::sha256("here")}, {"doc", {{"host", {{"name", "h"}}}}}});
      for (int r = 0, runs = below(3); r < runs; ++r) tell_a_run(writer, plan);
      writer.close();
      stories.push_back(read_story(writer.directory()));
    }
  }

  // Uncut, in order, at once.
  std::string expected(const fs::path& template_store) const {
    Scratch scratch;
    fs::copy(template_store, scratch.store(), fs::copy_options::recursive);
    Store store(scratch.store());
    const fs::path spool = make_batch(scratch.spool(), plan);
    for (const Story& story : stories) {
      for (const auto& [name, bytes] : story.payloads) deliver(spool, {story.writer, name, bytes});
      for (const Parcel& parcel : cut(story, std::vector<bool>(story.groups.size()))) deliver(spool, parcel);
    }
    const auto report = store::ingest_batch(store, spool);
    RC_ASSERT(report.problems.empty());
    RC_ASSERT(report.segments == static_cast<std::int64_t>(stories.size()));
    return canonical_dump(store);
  }

  std::vector<Parcel> parcels() const {
    std::vector<Parcel> out;
    for (const Story& story : stories) {
      for (const auto& [name, bytes] : story.payloads) out.push_back({story.writer, name, bytes});
      std::vector<bool> seal_after(story.groups.size());
      for (std::size_t i = 0; i < seal_after.size(); ++i) seal_after[i] = one_in(2);
      for (Parcel& parcel : cut(story, seal_after)) out.push_back(std::move(parcel));
    }
    return out;
  }
};

struct Tally {
  std::int64_t cases = 0, segments = 0, repeated = 0, torn = 0, ingests = 0, problems = 0;
} g_tally;

const char* const kPassing[] = {"is missing", "it is cut short", "the seal is missing"};

void ingest_between(Store& store, const fs::path& spool) {
  const auto report = store::ingest_batch(store, spool);
  RC_ASSERT(report.rejected == 0);
  RC_ASSERT(report.crashed.empty());
  ++g_tally.ingests;
  for (const store::IngestProblem& problem : report.problems) {  // of what is still on its way
    ++g_tally.problems;
    const bool passing = std::any_of(std::begin(kPassing), std::end(kPassing),
                                     [&](const char* text) { return problem.message.find(text) != std::string::npos; });
    if (!passing) RC_FAIL(problem.message);
  }
}

// Any order; a parcel may come torn first and whole later, and a delivered one again.
void deliver_all(const fs::path& spool, std::vector<Parcel> waiting, const std::vector<Store*>& ingesters) {
  std::vector<Parcel> delivered;
  for (int spare = 12; !waiting.empty();) {
    const std::size_t at = index_below(waiting.size());
    const Parcel parcel = waiting[at];
    const int how = spare > 0 ? below(6) : 0;
    if (how == 1 && parcel.is_segment) {
      --spare;
      ++g_tally.torn;
      deliver_torn(spool, parcel, index_below(parcel.bytes.size()), one_in(2));
    } else if (how == 2 && !delivered.empty()) {
      --spare;
      ++g_tally.repeated;
      deliver(spool, delivered[index_below(delivered.size())]);
    } else {
      deliver(spool, parcel);
      delivered.push_back(parcel);
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (one_in(2)) ingest_between(*ingesters[index_below(ingesters.size())], spool);
  }
}

RC_GTEST_PROP(Spool, AnyInterleavingOfSegmentsGivesAnEqualStore, ()) {
  static const Scratch empty;
  static const bool made = (Store(empty.store()), true);
  RC_ASSERT(made);
  const World world;
  const std::string expected = world.expected(empty.store());

  Scratch scratch;
  fs::copy(empty.store(), scratch.store(), fs::copy_options::recursive);
  Store first(scratch.store()), second(scratch.store());
  const fs::path spool = make_batch(scratch.spool(), world.plan);
  const std::vector<Parcel> parcels = world.parcels();
  const auto segments = std::count_if(parcels.begin(), parcels.end(), [](const Parcel& p) { return p.is_segment; });
  deliver_all(spool, parcels, {&first, &second});
  const auto report = store::ingest_batch(second, spool);
  if (!report.problems.empty()) RC_FAIL(report.problems.front().message);
  if (const auto difference = first_difference(expected, canonical_dump(first)); !difference.empty())
    RC_FAIL(difference);
  RC_ASSERT(count(first, "SELECT count(*) FROM imported_segment") == segments);
  RC_ASSERT(first.connection().integer("SELECT count(*) FROM pragma_foreign_key_check") == 0);
  ++g_tally.cases;
  g_tally.segments += segments;
}

TEST(Spool, InterleavingTally) {
  fmt::print("interleavings: {} stores, {} segments, {} repeated, {} torn, {} ingests, {} problems that passed\n",
             g_tally.cases, g_tally.segments, g_tally.repeated, g_tally.torn, g_tally.ingests, g_tally.problems);
}

}  // namespace
}  // namespace diopter::testing
