#include "engine/clean_reference.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter::engine {

at::Tensor clean_logits(Runner& runner, const std::vector<Metric>& metrics, const MetricReader& reader,
                        const RowBatch& batch, const TokenCodec* codec, const ForwardPath& path,
                        const ForwardResult* unedited) {
  if (!reader.needs_clean()) return {};
  if (batch.rows.data()->side != PromptsData::Side::Corrupted) {
    return reader.logits(unedited != nullptr ? *unedited : runner.run(batch, nullptr, path));
  }
  const std::vector<RowBatch> clean = row_batches(batch.rows.clean(), runner.info());
  const MetricReader clean_reader(metrics, clean.front(), batch.rows, codec, runner.values().device(),
                                  runner.info().d_vocab);
  if (clean_reader.points() != reader.points()) {
    throw Error(
        "kl_to_clean compares position by position, but the clean prompts have another number of them; set `at`");
  }
  return clean_reader.logits(runner.run(clean.front(), nullptr, path));
}

}  // namespace diopter::engine
