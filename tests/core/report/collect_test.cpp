// From the store to a page: declared figures, figures over several runs, warnings, provenance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "core/cli/sample_store.hpp"
#include "report/collect.hpp"
#include "report/grid_from_store.hpp"

namespace {

using namespace diopter::report;
using diopter::base::Json;
using diopter::store::Reader;
using diopter::test::kFirst;
using diopter::test::kLens;
using diopter::test::kSecond;
using diopter::test::sample_store;
using testing::ElementsAre;
using testing::HasSubstr;

ReportRequest request(const std::vector<std::string>& runs) {
  ReportRequest out;
  out.runs = runs;
  return out;
}

TEST(Collect, DeclaredFiguresOfOneRun) {
  const Page page = collect_page(Reader(sample_store()), request({kFirst}));
  EXPECT_EQ(page.title, "ioi-patching");
  EXPECT_EQ(page.about, "Which site carries the indirect object?");
  EXPECT_EQ(page.command, "diopter run experiments/ioi.toml model.source=gpt2");
  ASSERT_EQ(page.figures.size(), 1u);
  const Figure& map = page.figures[0];
  EXPECT_EQ(map.name, "resid/effect");
  EXPECT_EQ(map.unit, "logit");
  EXPECT_EQ(map.doc, "Effect, layer by position.");
  EXPECT_THAT(map.warnings, ElementsAre("[gap] clean - corrupted is 0.36"));
  ASSERT_EQ(map.panels.size(), 1u);
  EXPECT_EQ(map.panels[0].grid.dims[1].labels[2], " Mary");
  EXPECT_FLOAT_EQ(static_cast<float>(map.panels[0].grid.values[5]), -0.35f);
}

TEST(Collect, EqualFiguresOfAnAxisAreStackedAndFaceted) {
  const Page page = collect_page(Reader(sample_store()), request({kFirst, kSecond}));
  ASSERT_EQ(page.figures.size(), 1u);
  const Figure& map = page.figures[0];
  ASSERT_EQ(map.panels.size(), 1u);
  EXPECT_EQ(map.panels[0].grid.dims[0].name, "model.source");
  EXPECT_THAT(map.panels[0].grid.dims[0].labels, ElementsAre("organism", "gpt2"));
  EXPECT_EQ(map.spec.facet, "model.source");
  EXPECT_EQ(map.warnings.size(), 2u);
  EXPECT_THAT(map.warnings[0], HasSubstr("(run 8FKQ2M1P)"));
  EXPECT_EQ(page.tables[0].rows.size(), 2u);
  EXPECT_THAT(page.tables[0].columns, testing::Contains("logit_diff ↑"));
  EXPECT_THAT(page.tables[0].rows[0], testing::Contains("-7.27 ± 0.25"));
}

TEST(Collect, TablesTextsAndMetrics) {
  const Page page = collect_page(Reader(sample_store()), request({kLens}));
  ASSERT_EQ(page.figures.size(), 1u);
  EXPECT_EQ(page.figures[0].table.find("token")->texts[3], "</script>");
  EXPECT_THAT(page.figures[0].table.find("prob")->numbers, ElementsAre(0.25, 0.5, 0.75, 1));
  ReportRequest asked = request({kFirst, kSecond, kLens});
  asked.figures = {parse_figure_spec({{"of", "logit_diff"}, {"as", "bar"}, {"x", "model.source"}}),
                   parse_figure_spec({{"of", "lens/notes"}, {"as", "text"}}),
                   parse_figure_spec({{"of", "lens/top"}, {"as", "table"}})};
  const Page made = collect_page(Reader(sample_store()), asked);
  ASSERT_EQ(made.figures.size(), 3u);
  EXPECT_THAT(made.figures[0].panels[0].grid.values, ElementsAre(-7.27, 4.1));
  EXPECT_THAT(made.figures[0].panels[0].grid.error, ElementsAre(0.25, 0.25));
  EXPECT_EQ(made.figures[1].text, "The *last* layer knows.");
  EXPECT_EQ(made.figures[2].table.columns.size(), 2u);
}

TEST(Collect, IntervalsAreTensorsCalledLowAndHigh) {
  ReportRequest asked = request({kLens});
  asked.figures = {parse_figure_spec({{"of", "lens/kl"}, {"as", "bar"}})};
  const Figure bars = collect_page(Reader(sample_store()), asked).figures.at(0);
  EXPECT_THAT(bars.panels[0].grid.low, ElementsAre(1.5, 0.5, 0.25, 0));
  EXPECT_THAT(bars.panels[0].grid.high, ElementsAre(2.5, 1.5, 1, 0.5));
  asked.figures = {parse_figure_spec({{"of", "lens/kl_low"}, {"as", "bar"}})};
  EXPECT_TRUE(collect_page(Reader(sample_store()), asked).figures.at(0).panels[0].grid.low.empty());
}

TEST(Collect, UnknownOutputsAreRefusedWithNearNames) {
  ReportRequest asked = request({kFirst});
  asked.figures = {parse_figure_spec({{"of", "efect"}})};
  try {
    collect_page(Reader(sample_store()), asked);
    FAIL() << "not refused";
  } catch (const diopter::base::UserError& error) {
    EXPECT_EQ(error.exit(), diopter::base::Exit::NoMatch);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'effect'"));
  }
}

TEST(Collect, ReportTablesOfAManifest) {
  const ReportRequest made =
      request_from_json({{"file", "ioi.html"},
                         {"title", "IOI"},
                         {"figure", {{{"of", "resid/effect"}, {"as", "frames"}, {"over", "layer"}, {"each", "bar"}}}}});
  EXPECT_EQ(made.title, "IOI");
  EXPECT_EQ(made.figures[0].over, "layer");
  EXPECT_THROW(request_from_json({{"figs", Json::array()}}), diopter::base::UserError);
}

TEST(Values, EveryTypeOfTheStore) {
  EXPECT_THAT(as_doubles("f16", std::string("\x00\x3C\x00\xC0\x01\x00", 6)), ElementsAre(1, -2, 0x1p-24));
  EXPECT_THAT(as_doubles("bf16", std::string("\x80\x3F", 2)), ElementsAre(1));
  EXPECT_THAT(as_doubles("i8", "\xFF"), ElementsAre(-1));
  EXPECT_THAT(as_doubles("bool", std::string("\x01\x00", 2)), ElementsAre(1, 0));
  EXPECT_THAT(as_doubles("i64", std::string("\x02\0\0\0\0\0\0\0", 8)), ElementsAre(2));
  EXPECT_THROW(as_doubles("q4", ""), diopter::base::UserError);
}

}  // namespace
