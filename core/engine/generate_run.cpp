#include "engine/generate_run.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "engine/generate_batch.hpp"

namespace diopter::engine {
namespace {

Generation assembled(std::vector<GeneratedRow>&& rows, Index prompts, Index samples, bool with_log_probs) {
  std::size_t longest = 0;
  for (const GeneratedRow& row : rows) longest = std::max(longest, row.tokens.size());
  const auto width = static_cast<Index>(longest);
  Generation out;
  out.tokens = at::full({prompts * samples, width}, -1, at::kLong);
  out.lengths = at::empty({prompts * samples}, at::kLong);
  if (with_log_probs) out.log_probs = at::full({prompts * samples, width}, std::nan(""), at::kDouble);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    GeneratedRow& row = rows[i];
    const auto at = static_cast<Index>(i) * width;
    std::copy(row.tokens.begin(), row.tokens.end(), out.tokens.mutable_data_ptr<Index>() + at);
    out.lengths.mutable_data_ptr<Index>()[i] = static_cast<Index>(row.tokens.size());
    if (with_log_probs)
      std::copy(row.log_probs.begin(), row.log_probs.end(), out.log_probs.mutable_data_ptr<double>() + at);
    out.text.push_back(std::move(row.text));
    out.finish.push_back(row.finish);
  }
  out.tokens = out.tokens.view({prompts, samples, width});
  out.lengths = out.lengths.view({prompts, samples});
  if (with_log_probs) out.log_probs = out.log_probs.view({prompts, samples, width});
  return out;
}

}  // namespace

Generation generate_rows(Runner& runner, const Prompts& rows, const GenerateOptions& options, const Edits& edits,
                         const TokenCodec* codec, const SessionOptions& session) {
  runner.refuse_nested();
  const GeneratePlan plan = generate_plan(runner, rows, options, edits, codec, session);
  const std::vector<RowBatch> batches = row_batches(rows, runner.info(), plan.max_prompts);
  const auto samples = static_cast<Index>(plan.seeds.size());
  GenerateCall call{.runner = runner,
                    .options = options,
                    .edits = edits,
                    .codec = codec,
                    .session = session,
                    .plan = plan,
                    .total = rows.size() * samples * options.max_new_tokens};
  std::vector<GeneratedRow> out(static_cast<std::size_t>(rows.size() * samples));
  for (const RowBatch& batch : batches) {
    for (Index first = 0; first < samples; first += plan.max_samples) {
      const auto count = static_cast<std::size_t>(std::min(plan.max_samples, samples - first));
      const std::span<const Index> seeds = std::span(plan.seeds).subspan(static_cast<std::size_t>(first), count);
      GenerateBatch(call, batch, seeds, first, out).run();
    }
  }
  call.tally.record(static_cast<Index>(edits.items().size()), runner.monitor());
  return assembled(std::move(out), rows.size(), samples, options.log_probs);
}

}  // namespace diopter::engine
