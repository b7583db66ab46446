#include "engine/packed/needs.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace diopter::engine {
namespace {

Index first_seen(Index query, Index window) { return window > 0 ? std::max<Index>(0, query - window + 1) : 0; }

// [pos] seen by some marked query.
Marks seen_by(const Marks& queries, Index window) {
  Marks seen(queries.size(), 0);
  Index from = static_cast<Index>(queries.size());  // all positions in from .. query are marked already
  for (Index query = static_cast<Index>(queries.size()) - 1; query >= 0; --query) {
    if (!queries[static_cast<std::size_t>(query)]) continue;
    const Index first = first_seen(query, window);
    for (Index pos = std::min(query, from - 1); pos >= first; --pos) seen[static_cast<std::size_t>(pos)] = 1;
    from = std::min(from, first);
  }
  return seen;
}

// [pos] every position that the query at `pos` sees is marked.
Marks all_seen_marked(const Marks& marks, Index window) {
  Marks out(marks.size(), 0);
  Index last_unmarked = -1;
  for (std::size_t pos = 0; pos < marks.size(); ++pos) {
    if (!marks[pos]) last_unmarked = static_cast<Index>(pos);
    out[pos] = last_unmarked < first_seen(static_cast<Index>(pos), window);
  }
  return out;
}

}  // namespace

Needs::Needs(const RowBatch& batch, const ModelInfo& info, const MetricReader& reader, bool everything)
    : rows_(batch.size()), stream_(static_cast<std::size_t>((info.n_layers + 1) * rows_)), keys_(stream_.size()) {
  for (Index row = 0; row < rows_; ++row) {
    const Index end = everything                            ? batch.lengths[static_cast<std::size_t>(row)]
                      : reader.last_position(row) == kUnset ? 0
                                                            : reader.last_position(row) + 1;
    ends_.push_back(end);
    Marks read(static_cast<std::size_t>(end), 0);
    for (Index pos = 0; pos < end; ++pos) read[static_cast<std::size_t>(pos)] = everything || reader.reads(row, pos);
    stream_[at(info.n_layers, row)] = std::move(read);
    for (Index layer = info.n_layers - 1; layer >= 0; --layer) {
      const Marks& out = stream_[at(layer + 1, row)];
      Marks keys = seen_by(out, info.window(layer)), in = keys;
      for (std::size_t pos = 0; pos < in.size(); ++pos) in[pos] = in[pos] || out[pos];
      keys_[at(layer, row)] = std::move(keys);
      stream_[at(layer, row)] = std::move(in);
    }
  }
}

EqualStreams::EqualStreams(const RowBatch& base, const RowBatch& donor, const at::Tensor& align, const ModelInfo& info)
    : rows_(base.size()), equal_(static_cast<std::size_t>((info.n_layers + 1) * rows_)) {
  const auto ours = base.ids.accessor<Index, 2>();
  const auto theirs = donor.ids.accessor<Index, 2>();
  const auto place = align.accessor<Index, 2>();
  for (Index row = 0; row < rows_; ++row) {
    const Index length = base.lengths[static_cast<std::size_t>(row)];
    Index until = 0;
    while (until < length && place[row][until] == until) ++until;
    in_place_.push_back(until);
    Marks equal(static_cast<std::size_t>(length), 0);
    for (Index pos = 0; pos < until; ++pos) {
      equal[static_cast<std::size_t>(pos)] =
          pos < donor.lengths[static_cast<std::size_t>(row)] && ours[row][pos] == theirs[row][pos];
    }
    for (Index layer = 0; layer <= info.n_layers; ++layer) {
      equal_[static_cast<std::size_t>(layer * rows_ + row)] = equal;
      if (layer < info.n_layers) equal = all_seen_marked(equal, info.window(layer));
    }
  }
}

}  // namespace diopter::engine
