#include "engine/answer_tokens.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/hints.hpp"

namespace diopter::engine {

at::Tensor answer_tokens(const Prompts& rows, Text column, Text metric) {
  const PromptsData& data = *rows.data();
  const auto found = data.answers.find(column);
  if (found == data.answers.end()) {
    throw Error(fmt::format("metric {} needs answers, but the prompts{} have no '{}'; add it to every row",
                            base::quoted(metric), data.name.empty() ? "" : " " + base::quoted(data.name), column));
  }
  const auto& of_rows = found->second;
  std::size_t most = 0;
  for (const auto& choices : of_rows) most = std::max(most, choices.size());
  at::Tensor tokens = at::full({rows.size(), static_cast<Index>(std::max<std::size_t>(most, 1))}, -1, at::kLong);
  auto cells = tokens.accessor<Index, 2>();
  for (std::size_t row = 0; row < of_rows.size(); ++row) {
    if (of_rows[row].empty())
      throw Error(fmt::format("prompt {} has no '{}', which metric {} reads", row, column, base::quoted(metric)));
    for (std::size_t choice = 0; choice < of_rows[row].size(); ++choice) {
      const auto& pieces = of_rows[row][choice];
      if (pieces.size() != 1 && metric == "joint_log_prob") {
        throw Error(fmt::format(
            "the '{}' of prompt {} is {} tokens; joint_log_prob of several tokens is not yet in this version", column,
            row, pieces.size()));
      }
      if (pieces.size() != 1) {
        throw Error(
            fmt::format("the '{}' of prompt {} is {} tokens, but metric {} reads one; take a word that is one token",
                        column, row, pieces.size(), base::quoted(metric)));
      }
      cells[static_cast<Index>(row)][static_cast<Index>(choice)] = pieces.front();
    }
  }
  return tokens;
}

at::Tensor log_sum_of_choices(const at::Tensor& logits, const at::Tensor& tokens) {
  const at::Tensor wide = logits.to(at::kDouble);
  return wide.masked_fill(tokens < 0, -std::numeric_limits<double>::infinity()).logsumexp(1);
}

}  // namespace diopter::engine
