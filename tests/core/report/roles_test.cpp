// Which dimension is drawn where; what is averaged and ranked; what a figure may ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "report/figure_spec.hpp"
#include "report/roles.hpp"
#include "report/size_guard.hpp"

namespace {

using namespace diopter::report;
using diopter::base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Grid grid(const std::vector<std::pair<std::string, std::size_t>>& dims) {
  Grid out;
  for (const auto& [name, size] : dims) out.dims.push_back({name, size, {}, {}, {}});
  for (std::size_t i = 0; i < out.cells(); ++i) out.values.push_back(static_cast<double>(i));
  return out;
}

FigureSpec spec(const std::string& as) {
  FigureSpec out;
  out.as = as;
  out.of = "effect";
  return out;
}

std::string refused(const Json& document) {
  try {
    parse_figure_spec(document);
  } catch (const diopter::base::UserError& error) {
    return error.what();
  }
  return {};
}

TEST(FigureSpec, DefaultsAndRefusals) {
  const FigureSpec made = parse_figure_spec({{"of", "effect"}, {"centre", nullptr}, {"x", ""}});
  EXPECT_EQ(made.as, "heatmap");
  EXPECT_EQ(made.origin, "lower");
  EXPECT_FALSE(made.centre.has_value());
  EXPECT_EQ(parse_figure_spec({{"of", "effect"}, {"as", "frames"}}).each, "bar");
  EXPECT_EQ(refused({{"of", "effect"}, {"facets", "x"}}), "figure: unknown key 'facets' (did you mean 'facet'?)");
  EXPECT_THAT(refused({{"of", "effect"}, {"as", "heat_map"}}), HasSubstr("did you mean 'heatmap'"));
  EXPECT_EQ(refused({{"as", "heatmap"}}), "figure: 'of' is missing: name the output to draw");
  EXPECT_EQ(refused({{"of", 3}}), "figure: 'of' must be a text, got 3");
}

TEST(Roles, HeatmapPutsLayerUpAndPositionAcross) {
  const Roles roles = assign_roles(spec("heatmap"), grid({{"metric", 2}, {"layer", 12}, {"pos", 15}}));
  EXPECT_EQ(roles.x, "pos");
  EXPECT_EQ(roles.y, "layer");
  EXPECT_THAT(roles.facet, ElementsAre("metric"));
  const Roles heads = assign_roles(spec("heatmap"), grid({{"prompt", 3}, {"layer", 12}, {"head", 12}}));
  EXPECT_EQ(heads.x, "head");
  EXPECT_EQ(heads.y, "layer");
  EXPECT_THAT(heads.select, ElementsAre("prompt"));
}

TEST(Roles, SpecWinsAndUnknownNamesAreRefused) {
  FigureSpec asked = spec("heatmap");
  asked.x = "layer";
  asked.facet = "head metric";
  const Roles roles = assign_roles(asked, grid({{"metric", 2}, {"layer", 4}, {"head", 4}, {"pos", 5}}));
  EXPECT_EQ(roles.x, "layer");
  EXPECT_EQ(roles.y, "pos");
  EXPECT_THAT(roles.facet, ElementsAre("head", "metric"));
  asked.x = "layr";
  EXPECT_THROW(assign_roles(asked, grid({{"layer", 4}, {"head", 4}, {"metric", 1}})), diopter::base::UserError);
  asked.x = asked.y = "layer";
  asked.facet.clear();
  EXPECT_THROW(assign_roles(asked, grid({{"layer", 4}, {"pos", 4}})), diopter::base::UserError);
}

TEST(Roles, FramesWalkTheirDimension) {
  FigureSpec asked = spec("frames");
  asked.over = "layer";
  asked.each = "bar";
  const Roles roles = assign_roles(asked, grid({{"layer", 4}, {"pos", 5}}));
  EXPECT_EQ(roles.slider, "layer");
  EXPECT_EQ(roles.x, "pos");
  EXPECT_EQ(roles.y, "");
  asked.over.clear();
  EXPECT_EQ(assign_roles(asked, grid({{"pos", 5}, {"layer", 4}})).slider, "layer");
}

TEST(Roles, SurfacesAndManyFacetsBecomeDropDowns) {
  EXPECT_THAT(assign_roles(spec("surface"), grid({{"metric", 2}, {"layer", 4}, {"pos", 5}})).select,
              ElementsAre("metric"));
  FigureSpec asked = spec("heatmap");
  asked.facet = "head";
  const Roles roles = assign_roles(asked, grid({{"head", 100}, {"layer", 4}, {"pos", 5}}));
  EXPECT_THAT(roles.facet, IsEmpty());
  EXPECT_THAT(roles.select, ElementsAre("head"));
}

TEST(Roles, BarsOfHeadsAreRanked) {
  EXPECT_TRUE(assign_roles(spec("bar"), grid({{"layer", 4}, {"head", 4}})).ranked);
  EXPECT_FALSE(assign_roles(spec("bar"), grid({{"head", 4}})).ranked);
  Grid scores = grid({{"layer", 2}, {"head", 2}});
  scores.values = {0.5, -3, NAN, 2};
  scores.low = {0, -5, NAN, 1};
  scores.high = {1, -2, NAN, 4};
  const Grid top = ranked(scores, 3);
  EXPECT_THAT(top.dims[0].labels, ElementsAre("L0 H1", "L1 H1", "L0 H0"));
  EXPECT_THAT(top.values, ElementsAre(-3, 2, 0.5));
  EXPECT_THAT(top.low, ElementsAre(-5, 1, 0));
  EXPECT_THAT(top.high, ElementsAre(-2, 4, 1));
}

TEST(Roles, MeansLeaveOutNaN) {
  Grid values = grid({{"prompt", 3}, {"layer", 2}});
  values.values = {1, 2, 3, NAN, NAN, NAN};
  const Grid mean = mean_over(values, "prompt");
  ASSERT_EQ(mean.dims.size(), 1u);
  EXPECT_EQ(mean.dims[0].name, "layer");
  EXPECT_DOUBLE_EQ(mean.values[0], 2);
  EXPECT_DOUBLE_EQ(mean.error[0], 1);  // standard deviation sqrt(2) over sqrt(2)
  EXPECT_DOUBLE_EQ(mean.values[1], 2);
  EXPECT_TRUE(std::isnan(mean.error[1]));
}

TEST(SizeGuard, BlockMeansKeepTheMean) {
  Grid values = grid({{"a", 2}, {"b", 6}});
  const Grid small = block_means(values, 3);
  EXPECT_THAT(small.values, ElementsAre(0.5, 2.5, 4.5, 6.5, 8.5, 10.5));
  EXPECT_THAT(small.dims[1].coord, ElementsAre(0, 2, 4));
  std::vector<Figure> figures(1);
  figures[0].spec = spec("heatmap");
  figures[0].name = "big/map";
  figures[0].panels.push_back({"", grid({{"layer", 3}, {"pos", 1025}})});
  const auto beside = reduce_large_figures(figures, 1000);
  ASSERT_EQ(beside.size(), 1u);
  EXPECT_EQ(beside[0].name, "big_map_0.npy");
  EXPECT_EQ(figures[0].panels[0].grid.dims[1].size, 342u);
  EXPECT_THAT(figures[0].warnings[0], HasSubstr("[reduced]"));
  EXPECT_TRUE(reduce_large_figures(figures, 1'000'000).empty());
}

}  // namespace
