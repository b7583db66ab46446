// What a sweep reads, and where.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "core/engine/sweep_draws/prompts.hpp"

namespace diopter::engine::testing::draws {

inline const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> kNames = {"logit_diff", "logit", "log_prob",    "joint_log_prob",
                                                  "prob",       "rank",  "kl_to_clean", "kl_to_unpatched",
                                                  "entropy",    "loss",  "prob_diff"};
  return kNames;
}

inline PromptNeeds needs_of(const std::vector<std::string>& metrics) {
  const bool loss = contains(metrics, std::string("loss"));
  const bool divergence =
      contains(metrics, std::string("kl_to_clean")) || contains(metrics, std::string("kl_to_unpatched"));
  return {.least_tokens = loss ? 2 : 1, .equal_lengths = loss && divergence};
}

struct DrawnMetrics {
  std::vector<Metric> metrics;
  std::string text;
};

class MetricDraw {
 public:
  MetricDraw(const DrawnPrompts& prompts, Rows rows) : prompts_(prompts), rows_(rows) {
    const at::Tensor lengths = prompts.into.lengths();
    one_length_ = lengths.min().item<Index>() == lengths.max().item<Index>();
  }

  DrawnMetrics operator()(const std::vector<std::string>& names) {
    DrawnMetrics out;
    each_row_ = rows_ == Rows::Together || !contains(names, std::string("kl_to_clean"));
    for (const std::string& name : names) {
      out.text += fmt::format("{}{}", out.text.empty() ? "" : ", ", name);
      MetricSpec spec{.name = name, .at = draw_at(name == "loss", out.text)};
      spec.normalise = rarely(3);
      spec.min_gap = spec.normalise && coin() ? 1e-3 : 0.1;
      out.metrics.emplace_back(std::make_shared<const MetricSpec>(std::move(spec)));
    }
    return out;
  }

 private:
  // Every row of both sides has the position; a loss needs one more after it.
  Positions draw_at(bool loss, std::string& text) {
    const Index usable = prompts_.shortest - (loss ? 1 : 0);
    if (!prompts_.equal_lengths) return Positions::last();  // one position a row on either side
    switch (below(8)) {
      case 0:
      case 1: return Positions::last();
      case 2: text += " everywhere"; return Positions();
      case 3: {
        const Index at = loss ? -between(2, usable + 1) : -between(1, usable);
        text += fmt::format(" at {}", at);
        return {at};
      }
      case 4: {
        const Index at = below(usable);
        text += fmt::format(" at {}", at);
        return {at};
      }
      case 5: {
        const std::vector<Index> at = some_below(usable, 2);
        text += fmt::format(" at {}", at);
        return Positions(at);
      }
      case 6:
        if (one_length_ && !loss) {
          text += " from 0 or 1";
          return Positions::from(std::min(usable - 1, between(0, 1)));
        }
        [[fallthrough]];
      default: return each_row_ ? per_row(loss, text) : Positions::last();
    }
  }

  Positions per_row(bool loss, std::string& text) {
    std::vector<Index> values;
    const Index each = between(1, 2);
    for (Index row = 0; row < prompts_.rows(); ++row) {
      const Index length = prompts_.into.lengths()[row].item<Index>() - (loss ? 1 : 0);
      for (Index i = 0; i < each; ++i) values.push_back(rarely(5) ? kUnset : below(length));
    }
    text += fmt::format(" at {} of each row", listed(values));
    return Positions::per_row(ints(values).view({prompts_.rows(), each}));
  }

  const DrawnPrompts& prompts_;
  Rows rows_;
  bool one_length_, each_row_ = true;  // positions given per row are drawn
};

}  // namespace diopter::engine::testing::draws
