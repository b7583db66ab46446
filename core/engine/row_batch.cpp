#include "engine/row_batch.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/error.hpp"

namespace diopter::engine {
namespace {

void check_tokens(const RowBatch& batch, const ModelInfo& info) {
  if (batch.longest() > info.n_ctx) {
    throw Error(fmt::format("the longest prompt has {} tokens, but {} reads at most {}; shorten it", batch.longest(),
                            info.name, info.n_ctx));
  }
  const auto ids = batch.ids.accessor<Index, 2>();
  for (Index row = 0; row < batch.size(); ++row) {
    const Index length = batch.lengths[static_cast<std::size_t>(row)];
    if (length == 0)
      throw Error(fmt::format("prompt {} is empty; every row needs at least one token", batch.call_row(row)));
    for (Index pos = 0; pos < length; ++pos) {
      if (ids[row][pos] >= 0 && ids[row][pos] < info.d_vocab) continue;
      throw Error(fmt::format(
          "prompt {} has token {} at position {}, but {} knows tokens 0..{}; was it encoded for another model?",
          batch.call_row(row), ids[row][pos], pos, info.name, info.d_vocab - 1));
    }
  }
}

Prompts slice(const Prompts& rows, Index first, Index count) {
  if (first == 0 && count == rows.size()) return rows;
  return rows.select(at::arange(first, first + count));
}

at::Tensor int_tensor(const std::vector<Index>& values) { return at::tensor(at::ArrayRef<Index>(values), at::kLong); }

// `rows`: those of the batch alone; where they stand in the call is already in `batch`.
RowBatch filled(RowBatch batch, const Prompts& rows, const ModelInfo& info) {
  if (rows.data()->values.defined())
    throw Error("these prompts hold continuous inputs, but a language model takes tokens");
  batch.rows = rows;
  batch.ids = rows.inputs().to(at::kCPU).contiguous();
  const at::Tensor lengths = rows.lengths().to(at::kCPU).contiguous();
  const Index* begin = lengths.const_data_ptr<Index>();
  batch.lengths.assign(begin, begin + lengths.numel());
  batch.real = at::arange(batch.longest()).unsqueeze(0) < lengths.unsqueeze(1);
  check_tokens(batch, info);
  return batch;
}

RowBatch consecutive(const Prompts& rows, Index first, Index count, const ModelInfo& info) {
  RowBatch batch;
  batch.first = first;
  batch.call_rows = rows.size();
  return filled(std::move(batch), slice(rows, first, count), info);
}

}  // namespace

bool RowBatch::padded() const {
  return std::any_of(lengths.begin(), lengths.end(), [this](Index length) { return length < longest(); });
}

Index RowBatch::keys() const {
  return step ? *std::max_element(step->position.begin(), step->position.end()) + 1 : longest();
}

Index RowBatch::call_row(Index row) const {
  if (step) return step->prompts->call_row(step->prompt[static_cast<std::size_t>(row)]);
  return scattered.empty() ? first + row : scattered[static_cast<std::size_t>(row)];
}

at::Tensor RowBatch::of_call(const at::Tensor& per_row) const {
  if (!step && scattered.empty()) return per_row.narrow(0, first, size());
  std::vector<Index> which;
  for (Index row = 0; row < size(); ++row) which.push_back(call_row(row));
  return per_row.index_select(0, int_tensor(which).to(per_row.device()));
}

void RowBatch::put(at::Tensor& per_row, const at::Tensor& values) const {
  if (scattered.empty()) {
    per_row.narrow(0, first, size()).copy_(values);
  } else {
    per_row.index_copy_(0, int_tensor(scattered).to(per_row.device()), values.to(per_row.options()));
  }
}

Index RowBatch::prompt_length(Index row) const {
  const auto index = static_cast<std::size_t>(row);
  return step ? step->prompts->lengths[static_cast<std::size_t>(step->prompt[index])] : lengths[index];
}

RowBatch step_batch(const RowBatch& prompts, const at::Tensor& tokens, StepRows step) {
  step.prompts = &prompts;
  const std::size_t count = step.position.size();
  return {.rows = prompts.rows,
          .first = prompts.first,
          .call_rows = prompts.call_rows,
          .ids = tokens.view({static_cast<Index>(count), 1}),
          .lengths = std::vector<Index>(count, 1),
          .real = at::ones({static_cast<Index>(count), 1}, at::kBool),
          .step = std::move(step),
          .scattered = prompts.scattered};
}

std::vector<RowBatch> row_batches(const Prompts& rows, const ModelInfo& info, Index max_rows) {
  const Index total = rows.size();
  if (total == 0) throw Error("there are no prompts to run; the set is empty");
  const Index step = max_rows > 0 ? max_rows : total;
  std::vector<RowBatch> batches;
  for (Index first = 0; first < total; first += step) {
    batches.push_back(consecutive(rows, first, std::min(step, total - first), info));
  }
  return batches;
}

RowBatch batch_of_rows(const Prompts& rows, std::vector<Index> which, const ModelInfo& info) {
  DIOPTER_CHECK(!which.empty() && std::is_sorted(which.begin(), which.end()), "rows of a batch are ascending");
  const auto count = static_cast<Index>(which.size());
  if (which.back() - which.front() + 1 == count) return consecutive(rows, which.front(), count, info);
  const Prompts selected = rows.select(int_tensor(which));
  RowBatch batch;
  batch.first = kUnset;
  batch.call_rows = rows.size();
  batch.scattered = std::move(which);
  return filled(std::move(batch), selected, info);
}

RowBatch beside(const RowBatch& batch, const Prompts& rows, const ModelInfo& info) {
  if (rows.size() != batch.call_rows) {
    throw Error(fmt::format("the donor has {} rows, but they belong one to one to {} prompts; give as many",
                            rows.size(), batch.call_rows));
  }
  if (batch.scattered.empty()) return consecutive(rows, batch.first, batch.size(), info);
  return batch_of_rows(rows, batch.scattered, info);
}

std::vector<Index> equal_prefix(const RowBatch& a, const RowBatch& b) {
  const auto left = a.ids.accessor<Index, 2>();
  const auto right = b.ids.accessor<Index, 2>();
  std::vector<Index> common;
  for (Index row = 0; row < a.size(); ++row) {
    const auto index = static_cast<std::size_t>(row);
    const Index shorter = std::min(a.lengths[index], b.lengths[index]);
    Index pos = 0;
    while (pos < shorter && left[row][pos] == right[row][pos]) ++pos;
    common.push_back(pos);
  }
  return common;
}

}  // namespace diopter::engine
