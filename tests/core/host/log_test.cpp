// Tensors and tables put together from pieces.
#include <gtest/gtest.h>

#include "core/host/fakes.hpp"
#include "host/assembled_tensor.hpp"
#include "host/logged_table.hpp"

namespace diopter::host::test {
namespace {

AssembledTensor tensor_of(const char* dims) { return AssembledTensor("tensor 't' of kind 'k'", alternatives_of(dims)); }

at::Tensor ids(std::vector<std::vector<Index>> rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  at::Tensor out = at::full({static_cast<Index>(rows.size()), static_cast<Index>(longest)}, -1, at::kLong);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t p = 0; p < rows[r].size(); ++p) out[static_cast<Index>(r)][static_cast<Index>(p)] = rows[r][p];
  }
  return out;
}

std::string error_text(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(AssembledTensor, PutsLayersAndBatchesInPlace) {
  const ModelInfo model = tiny_info(2);
  const Prompts all = lettered(ids({{0, 1}, {2, 3, 4}}));
  AssembledTensor t = tensor_of("prompt layer pos");
  for (const Prompts& batch : all.batches()) {
    for (const Index layer : {1, 0}) {  // any order
      const Index length = batch.inputs().size(1);
      const at::Tensor value =
          at::arange(length, at::kFloat).reshape({1, length}) + 10.0 * layer + 100.0 * batch.rows().item<Index>();
      t.add(value, {.prompts = batch, .layer = layer}, {&model, all});
    }
  }
  const auto whole = t.whole();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor expected =
      at::tensor({0.f, 1.f, nan, 10.f, 11.f, nan, 100.f, 101.f, 102.f, 110.f, 111.f, 112.f}).reshape({2, 2, 3});
  EXPECT_TRUE(at::allclose(whole.value, expected, 0, 0, /*equal_nan=*/true)) << whole.value;
  EXPECT_EQ(
      dims_json(whole.dims).dump(),
      R"([{"coord":[0,1],"labels":["ab","cde"],"name":"prompt"},{"coord":[0,1],"name":"layer"},{"coord":[0,1,2],"name":"pos"}])");
}

TEST(AssembledTensor, LabelsPositionsWithTheTokensThatAllRowsShare) {
  const Prompts rows = lettered(ids({{0, 1, 2}, {0, 3, 2}}));
  AssembledTensor t = tensor_of("pos");
  t.add(at::zeros({3}), {.prompts = rows}, {});
  const auto whole = t.whole();
  EXPECT_EQ(whole.dims[0].labels, (std::vector<std::string>{"a", "pos", "c"}));
  EXPECT_EQ(whole.dims[0].ids, (std::vector<std::int64_t>{0, -1, 2}));
}

TEST(AssembledTensor, TakesMetricNamesAndCoefficientsFromLabels) {
  AssembledTensor t = tensor_of("metric coefficient");
  for (const char* metric : {"logit_diff", "kl"}) {
    t.add(at::ones({2}), {.metric = metric, .axes = {{.name = "coefficient", .reals = {-1.5, 2}}}}, {});
  }
  EXPECT_EQ(dims_json(t.whole().dims).dump(),
            R"([{"labels":["logit_diff","kl"],"name":"metric"},{"coord":[-1.5,2.0],"name":"coefficient"}])");
}

TEST(AssembledTensor, LabelsChooseAmongAlternatives) {
  const ModelInfo model = tiny_info(3);
  AssembledTensor by_axes = tensor_of("layer pos|layer head");
  by_axes.add(at::zeros({3, 2}), {.axes = {{"layer"}, {"head"}}}, {&model, {}});
  EXPECT_EQ(by_axes.whole().dims[1].name, "head");
  AssembledTensor by_size = tensor_of("layer pos|layer head");
  by_size.add(at::zeros({3, 5}), {}, {&model, {}});
  EXPECT_EQ(by_size.whole().dims[1].name, "pos");
  AssembledTensor unclear = tensor_of("layer pos|layer head");
  EXPECT_EQ(error_text([&] {
              unclear.add(at::zeros({3, 2}), {}, {&model, {}});
            }),
            "tensor 't' of kind 'k' is declared as 'layer pos' or 'layer head'; a value [3, 2] fits several of them; "
            "name its "
            "dimensions in Labels::axes");
}

TEST(AssembledTensor, RefusesWhatDoesNotFit) {
  const ModelInfo model = tiny_info(3);
  EXPECT_EQ(error_text([&] {
              tensor_of("layer pos").add(at::zeros({2, 2, 2}), {.layer = 1}, {&model, {}});
            }),
            "tensor 't' of kind 'k' is declared as 'layer pos'; a value [2, 2, 2] with layer 1 does not fit");
  EXPECT_EQ(error_text([&] {
              tensor_of("layer").add(at::zeros({2}), {}, {&model, {}});
            }),
            "tensor 't' of kind 'k' has 2 entries along layer where 3 are expected; name them in Labels (axes)");
  EXPECT_EQ(error_text([&] {
              tensor_of("layer").add({}, {}, {&model, {}});
            }),
            "tensor 't' of kind 'k' got an undefined tensor");
}

TEST(AssembledTensor, RefusesCellsWrittenTwiceOrNever) {
  AssembledTensor twice = tensor_of("layer pos");
  twice.add(at::zeros({2}), {.layer = 3}, {});
  twice.add(at::zeros({2}), {.layer = 3}, {});
  EXPECT_EQ(error_text([&] { twice.whole(); }), "tensor 't' of kind 'k' was written twice at layer 3 and pos 0");
  AssembledTensor never = tensor_of("layer head");
  never.add(at::zeros({}), {.layer = 0, .head = 1}, {});
  never.add(at::zeros({}), {.layer = 2, .head = 0}, {});
  EXPECT_EQ(error_text([&] { never.whole(); }),
            "tensor 't' of kind 'k' was never written at layer 0 and head 0 (2 of 4 cells are missing)");
}

TEST(AssembledTensor, KeepsACopyAndWholeNumbers) {
  at::Tensor value = at::tensor({1, 2}, at::kLong);
  AssembledTensor t = tensor_of("rank");
  t.add(value, {}, {});
  value.zero_();
  EXPECT_TRUE(at::equal(t.whole().value, at::tensor({1, 2}, at::kLong)));
  AssembledTensor scalar = tensor_of("");
  scalar.add(at::scalar_tensor(4.5), {}, {});
  EXPECT_EQ(scalar.whole().value.item<double>(), 4.5);
}

TEST(LoggedTable, PutsColumnsIntoTensorsAndTokensIntoTheDocument) {
  diopter_output row{};
  row.name = "top";
  row.dims = "prompt rank";
  row.columns = "token:token prob:float";
  LoggedTable table("table 'top' of kind 'k'", row);
  const Prompts rows = lettered(ids({{0, 1}, {2, 3}}));
  table.add({{"token", at::tensor({1, 2, 2, 1}, at::kLong).reshape({2, 2})}, {"prob", at::full({2, 2}, 0.25)}},
            {.prompts = rows}, {});
  KeepingSink sink;
  table.emit(sink);
  EXPECT_TRUE(at::equal(sink.tensors.at("top.token").value, at::tensor({1, 2, 2, 1}, at::kLong).reshape({2, 2})));
  EXPECT_EQ(
      sink.tables.at("top")["columns"].dump(),
      R"([{"name":"token","tensor":"top.token","type":"token","values":["b","c","c","b"]},{"name":"prob","tensor":"top.prob","type":"float"}])");
  EXPECT_EQ(error_text([&] {
              table.add({{"probs", at::zeros({2, 2})}}, {.prompts = rows}, {});
            }),
            "table 'top' of kind 'k' has no column 'probs' (did you mean 'prob'?)");
}

TEST(LoggedTable, TakesRowsWithText) {
  diopter_output declared{};
  declared.name = "heads";
  declared.dims = "place";
  declared.columns = "head:int score:float name:text";
  LoggedTable table("table 'heads' of kind 'k'", declared);
  table.add_row({Index{3}, 0.5, std::string("L0H3")});
  table.add_row({Index{1}, Index{1}, std::string("L0H1")});
  EXPECT_EQ(error_text([&] {
              table.add_row({0.5, 0.5, std::string("x")});
            }),
            "column 'head' of table 'heads' of kind 'k' is int; the row has another type of cell");
  KeepingSink sink;
  table.emit(sink);
  EXPECT_TRUE(at::equal(sink.tensors.at("heads.score").value, at::tensor({0.5, 1.0}, at::kDouble)));
  EXPECT_EQ(sink.tables.at("heads")["columns"][2].dump(), R"({"name":"name","type":"text","values":["L0H3","L0H1"]})");
}

}  // namespace
}  // namespace diopter::host::test
