// Where metrics are read: positions, answers and next tokens of each row.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <map>

#include <diopter/error.hpp>

#include "base/hints.hpp"
#include "engine/answer_tokens.hpp"
#include "engine/metric_reader.hpp"
#include "engine/metric_values.hpp"

namespace diopter::engine {
namespace {

bool is_default(const Positions& at) {
  const auto& terms = at.spec().terms;
  const auto* indices = terms.size() == 1 ? std::get_if<PositionsSpec::Indices>(&terms.front()) : nullptr;
  return indices != nullptr && indices->values == std::vector<Index>{-1};
}

bool may_be_unset(const Positions& at) {
  for (const auto& term : at.spec().terms) {
    if (std::holds_alternative<PositionsSpec::PerRow>(term) || std::holds_alternative<PositionsSpec::All>(term))
      return true;
  }
  return false;
}

void refuse_outside(const MetricSpec& metric, const RowPositions& at, const RowBatch& batch) {
  for (Index row = 0; row < batch.size(); ++row) {
    for (const Index pos : at.of[static_cast<std::size_t>(row)]) {
      if (pos != kUnset) continue;
      throw Error(
          fmt::format("metric {} is read at {}, but prompt {} has {} tokens; padding has no metric, correct `at`",
                      base::quoted(metric.name), text_of(metric.at), batch.call_row(row),
                      batch.lengths[static_cast<std::size_t>(row)]));
    }
  }
}

// `loss` is read where a next token stands.
RowPositions with_next_token(const MetricSpec& metric, const RowBatch& batch, const TokenCodec* codec) {
  const bool every = is_default(metric.at) || metric.at.is_all();
  RowPositions at = resolve(every ? Positions() : metric.at, batch, codec);
  for (Index row = 0; row < batch.size(); ++row) {
    const Index last = batch.lengths[static_cast<std::size_t>(row)] - 1;
    for (Index& pos : at.of[static_cast<std::size_t>(row)]) {
      if (pos != last) continue;
      if (!every)
        throw Error(fmt::format(
            "metric 'loss' is read at the last token of prompt {}, after which nothing stands; correct `at`",
            batch.call_row(row)));
      pos = kUnset;
    }
    if (every && last == 0)
      throw Error(fmt::format("metric 'loss' predicts next tokens, but prompt {} has one token", batch.call_row(row)));
  }
  return at;
}

RowPositions read_at(const MetricSpec& metric, const RowBatch& batch, const TokenCodec* codec) {
  if (!metric.custom && reads_next_token(metric.name)) return with_next_token(metric, batch, codec);
  RowPositions at = resolve(metric.at, batch, codec);
  if (at.slots == 0)
    throw Error(fmt::format("metric {} is read at {}, which is nowhere in these prompts", base::quoted(metric.name),
                            text_of(metric.at)));
  if (!may_be_unset(metric.at)) refuse_outside(metric, at, batch);
  return at;
}

at::Tensor ints(const std::vector<Index>& values) { return at::tensor(at::ArrayRef<Index>(values), at::kLong); }

}  // namespace

MetricReader::MetricReader(const std::vector<Metric>& metrics, const RowBatch& batch, const Prompts& answers,
                           const TokenCodec* codec, at::Device device, Index vocabulary)
    : batch_(batch),
      last_(static_cast<std::size_t>(batch.size()), kUnset),
      read_(static_cast<std::size_t>(batch.size() * batch.longest()), false),
      longest_(batch.longest()),
      vocabulary_(vocabulary) {
  std::map<std::pair<Index, Index>, Index> known;
  std::vector<Index> all_rows, all_positions;
  const auto ids = batch.ids.accessor<Index, 2>();
  for (const Metric& metric : metrics) {
    Reading reading{.spec = &metric.spec(), .at = read_at(metric.spec(), batch, codec)};
    std::vector<Index> points, rows, next;
    for (Index row = 0; row < batch.size(); ++row) {
      for (const Index pos : reading.at.of[static_cast<std::size_t>(row)]) {
        if (pos == kUnset) continue;
        const auto [entry, fresh] = known.try_emplace({row, pos}, static_cast<Index>(known.size()));
        if (fresh) {
          point_list_.emplace_back(row, pos);
          all_rows.push_back(row);
          all_positions.push_back(pos);
        }
        points.push_back(entry->second);
        rows.push_back(row);
        next.push_back(pos + 1 < longest_ ? ids[row][pos + 1] : -1);
        last_[static_cast<std::size_t>(row)] = std::max(last_[static_cast<std::size_t>(row)], pos);
        read_[static_cast<std::size_t>(row * longest_ + pos)] = true;
      }
    }
    reading.points = ints(points).to(device);
    reading.rows = ints(rows).to(device);
    if (!reading.spec->custom) {
      const std::string& name = reading.spec->name;
      if (reads_answer(name))
        reading.answer = answer_tokens(answers, "answer", name).to(device).index_select(0, reading.rows);
      if (reads_foil(name))
        reading.foil = answer_tokens(answers, "foil", name).to(device).index_select(0, reading.rows);
      if (reads_next_token(name)) reading.next = ints(next).to(device);
      needs_clean_ = needs_clean_ || name == "kl_to_clean";
      needs_unpatched_ = needs_unpatched_ || name == "kl_to_unpatched";
    }
    readings_.push_back(std::move(reading));
  }
  for (Reading& reading : readings_) {
    reading.entry = at::full({static_cast<Index>(known.size())}, -1, at::kLong);
    reading.entry.index_put_({reading.points.to(at::kCPU)}, at::arange(reading.points.size(0)));
    read_by_.emplace_back();
    for (Index point = 0; point < reading.entry.size(0); ++point)
      read_by_.back().push_back(reading.entry[point].item<Index>() >= 0);
    reading.entry = reading.entry.to(device);
  }
  points_ = {ints(all_rows).to(device), ints(all_positions).to(device)};
}

}  // namespace diopter::engine
