#include "engine/answer_guard.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/hints.hpp"
#include "engine/answer_tokens.hpp"
#include "engine/metric_values.hpp"

namespace diopter::engine {
namespace {

bool ends_sentence(std::string_view token) {
  const auto first = token.find_first_not_of(" \n\t"), last = token.find_last_not_of(" \n\t\"'");
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return false;
  const std::string_view core = token.substr(first, last - first + 1);
  return core == "." || core == "!" || core == "?";
}

struct Found {
  Index rows = 0, answer = -1, at = -1;  // tokens of the first row
};

}  // namespace

void warn_answer_in_prompt(const std::vector<Metric>& metrics, const RowBatch& batch, const TokenCodec* codec,
                           RunMonitor& monitor) {
  if (codec == nullptr) return;
  const std::vector<PromptsData::Row>& rows = batch.rows.data()->rows;  // tokens of the clean side
  for (const Metric& metric : metrics) {
    const MetricSpec& spec = metric.spec();
    if (spec.custom || !reads_answer(spec.name)) continue;
    const at::Tensor answers = answer_tokens(batch.rows, "answer", spec.name);
    const auto tokens = answers.accessor<Index, 2>();
    const auto ids = batch.ids.accessor<Index, 2>();
    const RowPositions at = resolve(spec.at, batch, codec);
    Found found;
    for (Index row = 0; row < batch.size(); ++row) {
      const Index position = at.last(row);
      if (position == kUnset) continue;
      const Index read_at = ids[row][position];
      const std::vector<Index>& clean = rows[static_cast<std::size_t>(row)].tokens;
      const bool ended = ends_sentence(codec->text(read_at));
      for (Index choice = 0; choice < answers.size(1); ++choice) {
        const Index answer = tokens[row][choice];
        const bool stands = std::find(clean.begin(), clean.end(), answer) != clean.end();
        if (answer < 0 || !(answer == read_at || (ended && stands))) continue;
        if (found.rows++ == 0) found = {1, answer, read_at};
        break;
      }
    }
    if (found.rows == 0) continue;
    const std::string share = batch.size() > 1 ? fmt::format(" ({} of {} prompts)", found.rows, batch.size()) : "";
    const std::string answer = base::quoted(codec->text(found.answer)), place = base::quoted(codec->text(found.at));
    monitor.warn("answer-in-prompt",
                 found.answer == found.at
                     ? fmt::format("the answer {} is itself the token at which {} is read{}", answer, spec.name, share)
                     : fmt::format("the answer {} already stands in the clean prompt, and {} is read at {} after it{}",
                                   answer, spec.name, place, share));
    return;  // said once, for all metrics of these prompts
  }
}

}  // namespace diopter::engine
