// Weight transforms against TransformerLens's processed weights (tests/peers/transforms_oracle.py), and that they leave
// the function alone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/error.hpp"
#include "core/model/expected.hpp"
#include "core/model/random_model.hpp"
#include "model/load.hpp"
#include "model/transforms.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using ::testing::HasSubstr;
using testing::largest;
using testing::largest_difference;

std::vector<std::string> split_at_plus(const std::string& joined) {
  std::vector<std::string> parts;
  std::stringstream stream(joined);
  for (std::string part; std::getline(stream, part, '+');) parts.push_back(part);
  return parts;
}

// "3.W_Q" -> W_Q of layer 3. What a model lacks is 0 in TransformerLens.
at::Tensor canonical_of(const Parameters& parameters, const std::string& name, const at::Tensor& theirs) {
  const auto dot = name.find('.');
  const at::Tensor ours = dot == std::string::npos
                              ? parameters.canonical(name)
                              : parameters.canonical(name.substr(dot + 1), std::stoll(name.substr(0, dot)));
  if (!ours.defined()) return at::zeros_like(theirs);
  return name == "W_E" ? ours * parameters.info().embed_scale : ours;  // TransformerLens's embedding is scaled already
}

TEST(Transforms, WeightsEqualTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("transforms");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("transforms");
  const c10::InferenceMode no_graph;
  std::map<std::string, std::pair<int, double>> lines;  // by transforms: models, largest difference
  Index compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(oracle)) {
    if (entry.path().extension() != ".safetensors") continue;
    const std::string stem = entry.path().stem(), model = stem.substr(0, stem.find('.')),
                      steps = stem.substr(stem.find('.') + 1);
    const Parameters ours = transformed(load(oracle / model).parameters, split_at_plus(steps));
    auto& [models, worst] = lines[steps];
    ++models;
    for (const auto& [name, theirs] : testing::read_tensors(entry.path())) {
      const at::Tensor mine = canonical_of(ours, name, theirs);
      ASSERT_EQ(mine.sizes(), theirs.sizes()) << stem << " " << name;
      const double gap = largest_difference(mine, theirs);
      EXPECT_LE(gap, 1e-5) << stem << " " << name;
      worst = std::max(worst, gap);
      compared += theirs.numel();
    }
  }
  for (const auto& [steps, line] : lines) fmt::print("{:<72} {:>2} models {:>9.2g}\n", steps, line.first, line.second);
  fmt::print("{} weights compared\n", compared);
  EXPECT_GE(compared, 100'000);
}

TEST(Transforms, LeaveTheFunctionAlone) {
  const std::filesystem::path oracle = peers::oracle("transforms");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("transforms");
  const c10::InferenceMode no_graph;
  double worst = 0;
  for (const auto& entry : std::filesystem::directory_iterator(oracle)) {
    if (entry.path().extension() != ".safetensors") continue;
    const std::string stem = entry.path().stem();
    const Parameters raw = load(oracle / stem.substr(0, stem.find('.'))).parameters;
    const auto steps = split_at_plus(stem.substr(stem.find('.') + 1));
    const at::Tensor ids = testing::random_ids(raw.info(), 3, 9);
    const at::Tensor before = at::log_softmax(Transformer(raw).forward(ids), -1);
    const double gap =
        largest_difference(at::log_softmax(Transformer(transformed(raw, steps)).forward(ids), -1), before);
    EXPECT_LE(gap, 2e-6 * largest(before)) << stem;
    worst = std::max(worst, gap);
  }
  fmt::print("log-probabilities before and after: largest difference {:.2g}\n", worst);
}

TEST(Transforms, TheOriginalKeepsItsWeights) {
  const Parameters raw = testing::random_parameters(testing::tiny_info(), 3);
  const Parameters copy = raw.transformed([](Slot, const at::Tensor& value) { return value.clone(); });
  transformed(raw, {"fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases"});
  for (const Slot slot : slots(raw.info()))
    EXPECT_TRUE(at::equal(raw.get(slot.part, slot.layer), copy.get(slot.part, slot.layer))) << slot_name(slot);
}

TEST(Transforms, RefuseWhatWouldChangeTheFunction) {
  const auto refused = [](const ModelInfo& info, std::vector<std::string> names) {
    try {
      check_transforms(info, names);
    } catch (const base::UserError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  ModelInfo info = testing::tiny_info();
  info.name = "tiny";
  EXPECT_EQ(refused(info, {"fold_ln", "center_writing_weights"}), "accepted");
  EXPECT_THAT(refused(info, {"fold_nl"}), HasSubstr("got 'fold_nl' (did you mean 'fold_ln'?)"));
  EXPECT_THAT(refused(info, {"center_writing_weights"}), HasSubstr("W_U of tiny too, which is the embedding"));
  info.logit_softcap = 30;
  EXPECT_THAT(refused(info, {"center_unembed"}), HasSubstr("its logits pass a soft cap"));
  info.norm = NormKind::RmsNorm;
  EXPECT_THAT(refused(info, {"center_writing_weights"}), HasSubstr("only LayerNorm ignores the mean of the stream"));
}

}  // namespace
}  // namespace diopter::model
