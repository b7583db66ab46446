// Whatever a sweep asks for: the same numbers, missing numbers and errors as by one plain forward a cell.
//
// For every kind of block and every hook point it has: a few drawn sweeps, together reading every metric.
// DIOPTER_SWEEP_ROUNDS (default 2) draws that many times as many.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <map>
#include <set>

#include "core/engine/sweep_draws/comparison.hpp"

namespace diopter::engine::testing {
namespace {

using draws::Family;

Index rounds() {
  const char* asked = std::getenv("DIOPTER_SWEEP_ROUNDS");
  return asked == nullptr ? 2 : std::max<Index>(1, std::atol(asked));
}

// All tests of the process together.
struct Tally {
  Index sweeps = 0, packed = 0, cells = 0, values = 0, skipped = 0, not_finite = 0, refused = 0;
  double largest = 0, largest_observed = 0;
  std::string largest_at, largest_observed_at;
  std::map<std::string, Index> changes, refusals, reasons;  // reasons: for a forward a cell all the same
  std::set<std::string> points;
  std::set<std::tuple<std::string, std::string, std::string>> covered;  // family, hook, metric
} g_tally;

// A quarter of the metrics, each quarter others; sometimes one more.
std::vector<std::string> metrics_of(Index turn) {
  const std::vector<std::string>& all = draws::metric_names();
  std::vector<std::string> metrics;
  for (std::size_t m = static_cast<std::size_t>(turn % 3); m < all.size(); m += 3) metrics.push_back(all[m]);
  if (draws::rarely(3)) {
    const std::string& more = draws::pick(all);
    if (!draws::contains(metrics, more)) metrics.push_back(more);
  }
  return metrics;
}

struct Both {
  Both(const ModelInfo& info, const SessionOptions& plain_options, const SessionOptions& quick_options)
      : model(std::make_shared<model::Transformer>(
            model::testing::random_parameters(info, static_cast<std::uint64_t>(draws::below(1000))))),
        plain(model, nullptr, monitor, plain_options),
        quick(model, nullptr, monitor, quick_options) {}

  // Why the last sweep took a forward a cell; empty: it was served from the base run.
  std::string why_plain() const {
    for (const auto& [kind, sentence] : monitor.events) {
      if (kind == "sweep-plain") return sentence;
    }
    return {};
  }

  Remembering monitor;
  std::shared_ptr<model::Transformer> model;
  Session plain, quick;
};

void tell(const std::string& name, const draws::DrawnSweep& drawn, const draws::Comparison& compared,
          const Counts& counts) {
  ++g_tally.sweeps;
  ++g_tally.changes[drawn.change];
  g_tally.cells += counts.cells;
  g_tally.skipped += counts.skipped;
  g_tally.values += compared.values();
  g_tally.not_finite += !compared.finite();
  if (compared.largest() > g_tally.largest) {
    g_tally.largest = compared.largest();
    g_tally.largest_at = name;
  }
  if (compared.largest_observed() > g_tally.largest_observed) {
    g_tally.largest_observed = compared.largest_observed();
    g_tally.largest_observed_at = name;
  }
}

// What is observed is wanted of every cell, so that a plain sweep leaves none out: else a mistake in the reasoning
// about cells that cannot differ would stand on both sides.
draws::SweepOutcome every_cell_computed(Session& plain, Sweep sweep, bool listen) {
  if (!sweep.observe.empty() || sweep.metrics.empty()) return draws::outcome_of(plain, std::move(sweep), listen);
  sweep.observe = "hook_embed";
  draws::SweepOutcome out = draws::outcome_of(plain, std::move(sweep), true);
  out.points.clear();
  out.observed.clear();
  return out;
}

// One drawn sweep of a point; says which metrics were compared where the sweep was served from the base run.
void compare_one(const Family& family, Point point, Index turn, const std::string& name,
                 std::set<std::string>& compared_metrics) {
  const std::vector<std::string> metrics = metrics_of(turn);
  const ModelInfo info = draws::draw_model(family, point);
  const draws::Rows rows = draws::pick<draws::Rows>(
      {draws::Rows::Together, draws::Rows::Together, draws::Rows::Together, draws::Rows::Alone, draws::Rows::Batched});
  const Index budget = rows == draws::Rows::Batched ? draws::pick<Index>({400'000, 200'000}) : 0;  // a row or two
  const Index verify = rows == draws::Rows::Alone ? 2 : 0;
  Both both(info, {.kind = "trial", .memory_budget = budget, .verify = verify, .plain_sweeps = true},
            {.kind = "trial", .memory_budget = budget, .verify = verify});
  const draws::DrawnSweep drawn =
      draws::SweepDraw(both.model->info(), both.model->hooks(), both.plain)(point, metrics, rows);
  RC_LOG() << drawn.text << fmt::format("\n{} bytes of memory, {} verified", budget, verify) << std::endl;

  const draws::Scales scales(drawn.sweep, drawn.prompts);
  Sweep measured = drawn.sweep;
  if (!measured.metrics.empty()) measured.metrics = scales.metrics();
  const draws::SweepOutcome plain = every_cell_computed(both.plain, std::move(measured), drawn.listen);
  both.monitor.events.clear();
  const draws::SweepOutcome quick = draws::outcome_of(both.quick, drawn.sweep, drawn.listen);
  if (plain.refusal != quick.refusal) RC_FAIL(fmt::format("plain: '{}', quick: '{}'", plain.refusal, quick.refusal));
  if (!plain.cells) {
    ++g_tally.refused;
    ++g_tally.refusals[plain.refusal];
    if (!drawn.mistake) RC_FAIL("refused without a mistake: " + plain.refusal);
    return;
  }
  draws::Comparison comparison(plain, quick, drawn.sweep, scales);
  if (const std::string problem = comparison.problem(); !problem.empty()) RC_FAIL(problem);
  tell(name, drawn, comparison, quick.cells->counts());
  const std::string why = both.why_plain();
  if (why.empty()) {
    ++g_tally.packed;
  } else {
    ++g_tally.reasons[why];
  }
  if (why.empty()) compared_metrics.insert(metrics.begin(), metrics.end());
}

struct Place {
  const Family* family;
  Point point;
  std::string hook;  // "blocks.{layer}.hook_z"
};

std::vector<Place> all_places() {
  std::vector<Place> places;
  for (const Family& family : draws::families()) {
    const HookTable hooks(family.richest);
    for (HookId id = 0; id < hooks.size(); ++id) {
      if (hooks[id].layer <= 0) places.push_back({&family, hooks.point(id), draws::pattern_of(hooks[id].name)});
    }
  }
  return places;
}

std::string words(const ::testing::TestParamInfo<Place>& which) {
  std::string name = fmt::format("{}_{}", which.param.family->name, which.param.hook);
  const auto cut = name.find("blocks.{layer}.");
  if (cut != std::string::npos) name.erase(cut, 15);
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

void print_tally() {
  fmt::print(
      "{} sweeps of {} cells ({} left out by reasoning), {} numbers compared; {} sweeps with numbers that are not "
      "finite\n",
      g_tally.sweeps, g_tally.cells, g_tally.skipped, g_tally.values, g_tally.not_finite);
  for (const Family& family : draws::families()) {
    std::set<std::string> hooks;
    Index triples = 0;
    for (const auto& [name, hook, metric] : g_tally.covered) {
      if (name != family.name) continue;
      hooks.insert(hook);
      ++triples;
    }
    fmt::print("{:<15} {:3} hook points x metrics: {:4} of {:4} pairs\n", family.name, hooks.size(), triples,
               hooks.size() * draws::metric_names().size());
  }
  fmt::print("{} of them served from the base run; else\n", g_tally.packed);
  for (const auto& [why, count] : g_tally.reasons) fmt::print("  {:4} {}\n", count, why);
  for (const auto& [change, count] : g_tally.changes) fmt::print("{:<20} {:4}\n", change, count);
  fmt::print("largest difference {:.2g} x largest logit ({})\n", g_tally.largest, g_tally.largest_at);
  fmt::print("largest difference of what is observed {:.2g} x its largest value ({})\n", g_tally.largest_observed,
             g_tally.largest_observed_at);
  fmt::print("{} refused as they should be:\n", g_tally.refused);
  for (const auto& [why, count] : g_tally.refusals) fmt::print("  {:3} {}\n", count, why);
}

class SweepProperty : public ::testing::TestWithParam<Place> {
 protected:
  static void TearDownTestSuite() { print_tally(); }
};

TEST_P(SweepProperty, EqualsOnePlainForwardACell) {
  const auto& [family, point, hook] = GetParam();
  std::set<std::string> compared;
  // A sweep that was refused, or took a forward a cell after all, compares nothing: its turn comes again.
  for (Index turn = 0; turn < 3 * rounds() || compared.size() < draws::metric_names().size(); ++turn) {
    ASSERT_LT(turn, 3 * rounds() + 24) << "some metric is never compared";
    const std::string name = fmt::format("{} {} turn {}", family->name, hook, turn);
    const rc::detail::TestParams params{.seed = std::hash<std::string>{}(name), .maxSuccess = 1};
    const auto result = rc::detail::checkTestable([&] { compare_one(*family, point, turn, name, compared); },
                                                  rc::detail::TestMetadata{name, name}, params);
    if (!result.template is<rc::detail::SuccessResult>()) {
      std::ostringstream told;
      rc::detail::printResultMessage(result, told);
      FAIL() << name << "\n" << told.str();
    }
  }
  for (const std::string& metric : compared) g_tally.covered.emplace(family->name, hook, metric);
}

INSTANTIATE_TEST_SUITE_P(Points, SweepProperty, ::testing::ValuesIn(all_places()), words);

// Every short name is a place that is drawn; together with what each place asserts, every triple is compared.
TEST(SweepPropertyPlaces, HaveEverySite) {
  std::set<std::string> hooks;
  for (const Place& place : all_places()) hooks.insert(place.hook);
  for (const std::string& site : site_names()) EXPECT_TRUE(hooks.contains(site_pattern(site))) << site;
}

}  // namespace
}  // namespace diopter::engine::testing
