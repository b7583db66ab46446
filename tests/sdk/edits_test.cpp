#include <gtest/gtest.h>

#include "sdk/letters.hpp"

namespace diopter::test {
namespace {

TEST(Positions, UnionsKeepTheirTermsAndAllAbsorbs) {
  const Positions both = Positions::last() | Positions::generated();
  EXPECT_EQ(both.spec().terms.size(), 2u);
  EXPECT_FALSE(both.is_all());
  EXPECT_TRUE((both | Positions()).is_all());
  EXPECT_TRUE(Positions().is_all());
}

TEST(Positions, PerRowIsAlwaysTwoDimensional) {
  const Positions at = Positions::per_row(longs({1, 2}));
  EXPECT_EQ(std::get<PositionsSpec::PerRow>(at.spec().terms[0]).values.sizes(), (at::IntArrayRef{2, 1}));
  EXPECT_THROW(Positions::per_row(at::zeros({2})), Error);
}

TEST(Metric, SuggestsTheNearestName) {
  EXPECT_EQ(Metric::named("logit_diff").name(), "logit_diff");
  EXPECT_EQ(error_text([] { Metric::named("logit_dif"); }), "unknown metric 'logit_dif' (did you mean 'logit_diff'?)");
  EXPECT_THROW(Metric::custom("", [](const Tensor& logits, const Prompts&) { return logits; }), Error);
}

TEST(Edits, ListsBecomeAxesAndCellsWithTheLastAxisFastest) {
  Edits edits;
  edits.at("blocks.0.hook_resid_post", Change::add(at::eye(2), std::vector<double>{-1, 1}, Per::Vector))
      .at("blocks.1.hook_resid_post", Change::scale(std::vector<double>{0, 1, 2}));
  const auto axes = edits.axes();
  ASSERT_EQ(axes.size(), 3u);
  EXPECT_EQ(axes[0].name, "vector");
  EXPECT_EQ(axes[0].indices, (std::vector<Index>{0, 1}));
  EXPECT_EQ(axes[1].name, "coefficient");
  EXPECT_EQ(axes[1].reals, (std::vector<double>{-1, 1}));
  EXPECT_EQ(axes[2].name, "coefficient_2");

  const auto cells = edits.cells();
  ASSERT_EQ(cells.size(), 12u);
  const ChangeSpec &add = cells[7].items()[0].change.spec(), &scale = cells[7].items()[1].change.spec();
  EXPECT_TRUE(at::equal(add.value, at::eye(2)[1]));  // cell 7 = vector 1, coefficient 0, factor 1
  EXPECT_EQ(add.per, Per::Site);
  EXPECT_EQ(add.factors.values(), std::vector<double>{-1});
  EXPECT_FALSE(add.factors.swept());
  EXPECT_EQ(scale.factors.values(), std::vector<double>{1});
  EXPECT_TRUE(cells[7].axes().empty());
}

TEST(Edits, WithoutListsAreOneCell) {
  Edits edits;
  edits.at("hook_embed", Change::zero());
  EXPECT_TRUE(edits.axes().empty());
  EXPECT_EQ(edits.cells().size(), 1u);
  EXPECT_EQ(Edits().cells().size(), 1u);
}

TEST(Change, RefusesWhatCannotBeMeant) {
  EXPECT_THROW(Change::add({}), Error);
  EXPECT_THROW(Change::scale(std::vector<double>{}), Error);
  EXPECT_THROW(Change::custom({}), Error);
  EXPECT_THROW(Change::mean(Prompts()), Error);
  EXPECT_THROW(Change::replace(at::scalar_tensor(1.0), Per::Row), Error);
}

TEST(Params, RefuseUndeclaredNamesAndOtherTypes) {
  auto data = std::make_shared<ParamsData>();
  data->kind = "lens";
  data->values.emplace("top_k", Index{3});
  data->values.emplace("vector", Tensor());
  const Params params{std::shared_ptr<const ParamsData>(data)};
  EXPECT_EQ(params.get<Index>("top_k"), 3);
  EXPECT_EQ(error_text([&] { params.get<Index>("topk"); }),
            "kind 'lens' asked for parameter 'topk', which its table does not declare (did you mean 'top_k'?)");
  EXPECT_EQ(error_text([&] { params.get<double>("top_k"); }),
            "parameter 'top_k' of kind 'lens' is a Index; it was asked for as double");
  EXPECT_EQ(error_text([&] { params.get<Tensor>("vector"); }),
            "parameter 'vector' of kind 'lens' is a tensor, which can be read in run() only, not while the analysis is "
            "created");
}

TEST(Capture, FindsStacksAndSuggests) {
  ModelInfo info;
  info.family = "gpt2";
  info.n_layers = 2;
  info.n_heads = info.n_kv_heads = 1;
  info.d_model = info.d_head = info.d_mlp = 4;
  info.d_vocab = info.n_ctx = 8;
  auto data = std::make_shared<CaptureData>();
  data->hooks = HookTable(info);
  for (const HookId id : data->hooks.resolve("blocks.*.hook_resid_post")) {
    data->items.emplace_back(data->hooks[id], at::full({1, 2, 4}, static_cast<double>(id)));
  }
  const Capture capture{std::shared_ptr<const CaptureData>(data)};
  EXPECT_EQ(capture.stack("blocks.*.hook_resid_post").sizes(), (at::IntArrayRef{2, 1, 2, 4}));
  EXPECT_EQ(capture["blocks.1.hook_resid_post"].sizes(), (at::IntArrayRef{1, 2, 4}));
  EXPECT_EQ(error_text([&] { capture["blocks.1.hook_resid_pst"]; }).substr(0, 44),
            "'blocks.1.hook_resid_pst' was not captured (");
  EXPECT_THROW(capture.logits(), Error);
}

}  // namespace
}  // namespace diopter::test
