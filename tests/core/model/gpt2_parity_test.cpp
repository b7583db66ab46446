// The forward against transformers on random GPT-2 models (tests/peers/model_oracle.py): logits, residual streams,
// patterns.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/expected.hpp"
#include "core/model/oracle_cases.hpp"
#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/load.hpp"
#include "model/transformer.hpp"
#include "peers/parity_record.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using testing::largest;
using testing::largest_difference;
using testing::oracle_cases;
using testing::OracleCase;
using testing::read_tensors;
using testing::real;
using testing::RecordingTap;

TEST(Gpt2Parity, LogitsEqualTransformers) {
  const std::filesystem::path oracle = peers::oracle("model");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("model");
  const c10::InferenceMode no_graph;
  fmt::print("{:<26} {:>9} {:>10} {:>12} {:>12} {:>12} {:>10}\n", "model", "values", "max|logit|", "fused", "explicit",
             "to float64", "gate");
  Index compared = 0;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Transformer model(testing::placed(load(c.folder).parameters));
    auto expected = read_tensors(c.folder / "expected.safetensors");
    const at::Tensor ids = expected.at("ids"), theirs = real(expected.at("logits"), ids);
    Pass explicit_pass;
    explicit_pass.path.explicit_attention = true;
    const at::Tensor fused = real(model.forward(ids.to(testing::device())), ids),
                     plain = real(model.forward(ids.to(testing::device()), explicit_pass), ids);

    // Tiny models: the logits themselves; at GPT-2's size log-probabilities, with the error of fp32 products as gate.
    const auto compare = [&](const at::Tensor& ours, const at::Tensor& others) {
      return c.about.at("tiny").get<bool>()
                 ? largest_difference(ours, others)
                 : largest_difference(at::log_softmax(ours, -1), at::log_softmax(others.to(ours.scalar_type()), -1));
    };
    const double gate = c.about.at("tiny").get<bool>() ? 1e-5 : std::min(1e-4, 5e-6 * largest(theirs));
    const double fused_error = compare(fused, theirs), plain_error = compare(plain, theirs);
    const double to_float64 = compare(fused, real(expected.at("logits64"), ids));
    fmt::print("{:<26} {:>9} {:>10.3g} {:>12.3g} {:>12.3g} {:>12.3g} {:>10.2g}\n", c.name, theirs.numel(),
               largest(theirs), fused_error, plain_error, to_float64, gate);
    EXPECT_LE(fused_error, gate) << c.name;
    EXPECT_LE(plain_error, gate) << c.name;
    peers::record_parity(
        "model", c.name, model.info(),
        {.what = "logits", .difference = std::max(fused_error, plain_error), .gate = gate, .scale = largest(theirs)});
    compared += theirs.numel();
  }
  EXPECT_GT(compared, 1'000'000);
}

TEST(Gpt2Parity, ResidualStreamsAndPatternsEqualTransformers) {
  const std::filesystem::path oracle = peers::oracle("model");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("model");
  const c10::InferenceMode no_graph;
  double worst_stream = 0, worst_pattern = 0;
  Index compared = 0;
  for (const OracleCase& c : oracle_cases(oracle)) {
    if (!c.about.at("tiny").get<bool>()) continue;
    const Transformer model(load(c.folder).parameters);
    auto expected = read_tensors(c.folder / "expected.safetensors");
    const at::Tensor ids = expected.at("ids");
    RecordingTap tap = RecordingTap::all(model.hooks());
    model.forward(ids, {&tap});
    for (Index l = 0; l < model.info().n_layers; ++l) {
      const at::Tensor stream = tap.values.at(model.hooks().id(Point::ResidPre, l)),
                       pattern = tap.values.at(model.hooks().id(Point::Pattern, l));
      worst_stream = std::max(
          worst_stream, largest_difference(real(stream, ids), real(expected.at(fmt::format("resid_pre.{}", l)), ids)));
      const auto by_query = [&](const at::Tensor& x) {
        return real(x.transpose(1, 2), ids);
      };  // [batch, query, head, key]
      worst_pattern = std::max(
          worst_pattern, largest_difference(by_query(pattern), by_query(expected.at(fmt::format("pattern.{}", l)))));
      compared += stream.numel() + pattern.numel();
    }
  }
  fmt::print("{} values, largest difference: residual stream {:.3g}, pattern {:.3g}\n", compared, worst_stream,
             worst_pattern);
  EXPECT_LE(worst_stream, 1e-5);
  EXPECT_LE(worst_pattern, 1e-6);
  EXPECT_GT(compared, 10'000);
}

}  // namespace
}  // namespace diopter::model
