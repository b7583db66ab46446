// The page: one file, a policy that allows its own scripts only, nothing that is not escaped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "report/figure_json.hpp"
#include "report/page.hpp"

namespace {

using namespace diopter::report;
using testing::HasSubstr;
using testing::Not;

const PlotlyAsset kPlotly{"/* plotly.js v4.1.1 */ window.Plotly = {};", "4.1.1", std::string(64, 'a')};

Page page(const std::string& text) {
  Page out;
  out.title = out.about = out.command = text;
  Figure figure;
  figure.spec.as = "heatmap";
  figure.spec.of = figure.name = "resid/" + text;
  figure.spec.title = figure.unit = figure.doc = figure.runs = text;
  figure.warnings = {text};
  figure.panels.push_back(
      {text, {{{"layer", 2, {}, {}, {}}, {"pos", 2, {text, " to"}, {7, 8}, {}}}, {1, -1, NAN, INFINITY}, {}}});
  out.figures.push_back(figure);
  out.tables.push_back({text, {text}, {{text}}, {false}});
  out.provenance = {{text, text}};
  return out;
}

TEST(Page, IsOneFileWithAPolicy) {
  const Rendered made = render_page(page("plain"), kPlotly);
  EXPECT_TRUE(made.beside.empty());
  EXPECT_THAT(made.html, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(made.html, Not(HasSubstr("unsafe-eval")));
  EXPECT_THAT(made.html, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(made.html, HasSubstr("<script>/* plotly.js v4.1.1 */"));
  EXPECT_THAT(made.html, HasSubstr("Not drawn as colours: 1 NaN, 1 +inf."));
  EXPECT_EQ(made.html, render_page(page("plain"), kPlotly).html);
}

TEST(Page, HostileTextStaysText) {
  const std::string evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>";
  const std::string html = render_page(page(evil), kPlotly).html;
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;"));
}

TEST(Page, BesideWritesPlotlyNextToIt) {
  RenderOptions options;
  options.assets = Assets::Beside;
  const Rendered made = render_page(page("plain"), kPlotly, options);
  ASSERT_EQ(made.beside.size(), 1u);
  EXPECT_EQ(made.beside[0].name, "plotly-4.1.1.min.js");
  EXPECT_THAT(made.html, HasSubstr("<script src=\"plotly-4.1.1.min.js\"></script>"));
}

TEST(Page, TooLargeNamesTheFigure) {
  RenderOptions options;
  options.max_bytes = 100;
  try {
    render_page(page("plain"), kPlotly, options);
    FAIL() << "not refused";
  } catch (const diopter::base::UserError& error) {
    EXPECT_EQ(error.exit(), diopter::base::Exit::Usage);
    EXPECT_THAT(error.what(), HasSubstr("largest figures: resid/plain"));
  }
}

TEST(Page, RefusesAScriptThatWouldEndItself) {
  PlotlyAsset bad = kPlotly;
  bad.source += "</SCRIPT>";
  EXPECT_THROW(render_page(page("plain"), bad), diopter::base::UserError);
}

TEST(FigureJson, CarriesValuesLabelsAndLimits) {
  const diopter::base::Json json = figure_json(page("tok").figures[0]);
  EXPECT_EQ(json["roles"]["x"], "pos");
  EXPECT_EQ(json["roles"]["y"], "layer");
  EXPECT_EQ(json["panels"][0]["data"], "AACAPwAAgL8AAMB/AACAfw==");
  EXPECT_EQ(json["panels"][0]["dims"][1]["exact"][1], "\" to\" (id 8)");
  EXPECT_EQ(json["panels"][0]["dims"][1]["show"][1], "\u2068·to\u2069_1");
  EXPECT_EQ(json["limits"][0]["scale"], "diverging");
  EXPECT_EQ(json["limits"][0]["high"], 1.0);
}

TEST(FigureJson, MetricsHaveTheirOwnLimits) {
  Figure figure;
  figure.spec.as = "heatmap";
  figure.spec.of = figure.name = "effect";
  figure.panels.push_back(
      {"",
       {{{"metric", 2, {"logit_diff", "prob"}, {}, {}}, {"layer", 1, {}, {}, {}}, {"pos", 2, {}, {}, {}}},
        {-4, 4, 0.1, 0.2},
        {}}});
  const diopter::base::Json json = figure_json(figure);
  EXPECT_EQ(json["limits_by"], "metric");
  EXPECT_EQ(json["limits"][0]["low"], -4.0);
  EXPECT_EQ(json["limits"][1]["scale"], "sequential");
  EXPECT_EQ(json["limits"][1]["high"], 0.2);
}

}  // namespace
