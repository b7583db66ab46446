// A model against what an oracle of logits wrote about it: ids, logits, and where it has them resid_pre.L, pattern.L.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/model/oracle_cases.hpp"
#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "model/transformer.hpp"
#include "peers/parity_record.hpp"

namespace diopter::model::testing {

inline void print_parity_heading() {
  fmt::print("{:<44} {:>8} {:>10} {:>9} {:>9} {:>9} {:>9}\n", "model", "values", "max|logit|", "fused", "explicit",
             "stream", "pattern");
}

// Prints the largest differences and expects each to be 1e-5 at most, of trained models with large logits a millionth
// of the largest.
// `test`: whose record it is.
inline void compare_with_oracle(const std::string& test, const std::string& name, const Transformer& model,
                                const std::map<std::string, at::Tensor>& expected) {
  const at::Tensor ids = expected.at("ids"), theirs = real(expected.at("logits"), ids);
  RecordingTap tap = RecordingTap::all(model.hooks());
  const double fused = largest_difference(real(model.forward(ids.to(device())), ids), theirs);
  const double shown = largest_difference(real(model.forward(ids.to(device()), {&tap}), ids), theirs);
  double stream = 0, pattern = 0;
  const auto gap = [&](const std::string& key, const at::Tensor& ours, auto part) {  // of what the oracle has
    const auto found = expected.find(key);
    return found == expected.end() ? 0.0 : largest_difference(part(ours), part(found->second));
  };
  const auto by_position = [&](const at::Tensor& x) { return real(x, ids); };
  const auto by_query = [&](const at::Tensor& x) { return real(x.transpose(1, 2), ids); };
  for (Index l = 0; l < model.info().n_layers; ++l) {
    const auto shown_at = [&](Point point) { return tap.values.at(model.hooks().id(point, l)); };
    stream = std::max(stream, gap(fmt::format("resid_pre.{}", l), shown_at(Point::ResidPre), by_position));
    pattern = std::max(pattern, gap(fmt::format("pattern.{}", l), shown_at(Point::Pattern), by_query));
  }
  fmt::print("{:<44} {:>8} {:>10.3g} {:>9.2g} {:>9.2g} {:>9.2g} {:>9.2g}\n", name, theirs.numel(), largest(theirs),
             fused, shown, stream, pattern);
  const double limit = std::max(1e-5, 1e-6 * largest(theirs));
  for (const double difference : {fused, shown, stream, pattern}) EXPECT_LE(difference, limit) << name;
  const auto record = [&](const char* what, double difference) {
    peers::record_parity(test, name, model.info(),
                         {.what = what, .difference = difference, .gate = limit, .scale = largest(theirs)});
  };
  record("logits", std::max(fused, shown));
  record("stream", stream);
  record("pattern", pattern);
}

}  // namespace diopter::model::testing
