// Metrics, read off a forward: one number per prompt and metric, in double.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <diopter_host/specs.hpp>

#include "engine/forward.hpp"
#include "engine/metric_rows.hpp"
#include "engine/metric_values.hpp"
#include "engine/row_positions.hpp"

namespace diopter::engine {

// Where one metric is read in a batch, and with which tokens.
struct Reading {
  const MetricSpec* spec = nullptr;
  RowPositions at;
  at::Tensor points;        // int64 [m]: which of the reader's points
  at::Tensor rows;          // int64 [m]
  at::Tensor entry;         // int64 [n]: of each of the reader's points, which of the m; -1: not read there
  at::Tensor answer, foil;  // int64 [m, choice], undefined where the metric reads none
  at::Tensor next;          // int64 [m]: the token that follows, of `loss`
};

// Logits at some of a reader's points, made when asked for.
struct SeenLogits {
  at::Tensor point;                                           // int64 [n]: which of the reader's points
  std::function<at::Tensor(const at::Tensor& which)> logits;  // int64 [k] of these n -> [k, d_vocab]
  std::function<at::Tensor(const at::Tensor& which, const at::Tensor& tokens)> token_logits;  // [k, m] -> [k, m]
};

class MetricReader {
 public:
  // `batch`: rows whose forwards are read; `answers`: rows whose answers count (a donor's run is read with the answers
  // of the rows that it is patched into). Error when a row lacks the position a metric is read at, or an answer; a
  // position given per row may be kUnset, which gives NaN. The metrics must outlive the reader. `loss` without an `at`
  // of its own is the mean over all next tokens.
  MetricReader(const std::vector<Metric>& metrics, const RowBatch& batch, const Prompts& answers,
               const TokenCodec* codec, at::Device device, Index vocabulary);

  bool needs_clean() const noexcept { return needs_clean_; }          // compare_with(clean, ...) before read
  bool needs_unpatched() const noexcept { return needs_unpatched_; }  // compare_with(..., unpatched)
  bool needs_next_token() const;                                      // `loss` is among the metrics
  bool reads_vocabulary() const;                                      // a metric needs every token's logit
  // Of a run of these rows or of rows that belong to them: logits at what is read, [n, d_vocab].
  at::Tensor logits(const ForwardResult& run) const { return run.logits(points_); }
  void compare_with(const at::Tensor& clean, const at::Tensor& unpatched);  // logits(); undefined where not needed

  std::vector<at::Tensor> read(const ForwardResult& run) const;  // [metric]: double [batch], on the CPU
  // [metric]: double [n] on the CPU, one number per point; NaN where the metric is not read. Not of custom metrics.
  std::vector<at::Tensor> values_at(const SeenLogits& seen) const;
  // Of the metric's value at single points, [points()], its value for each row: the mean over what the row reads.
  at::Tensor by_row(std::size_t metric, const at::Tensor& by_point) const;
  SeenLogits seen(const ForwardResult& run) const;       // all points
  double largest_logit(const ForwardResult& run) const;  // |logit| at what is read: the scale of rounding errors

  Index points() const { return points_.size(); }
  bool reads_at(std::size_t metric, Index point) const { return read_by_[metric][static_cast<std::size_t>(point)]; }
  Index row_of(Index point) const { return point_list_[static_cast<std::size_t>(point)].first; }
  Index position_of(Index point) const { return point_list_[static_cast<std::size_t>(point)].second; }
  Index last_position(Index row) const { return last_[static_cast<std::size_t>(row)]; }  // kUnset: nothing is read
  bool reads(Index row, Index pos) const { return read_[static_cast<std::size_t>(row * longest_ + pos)]; }
  const std::vector<Reading>& readings() const noexcept { return readings_; }

 private:
  // What KL metrics compare with.
  struct Reference {
    at::Tensor logits;               // [points(), d_vocab]
    std::optional<MetricRows> rows;  // the same, where all of them can be read so
  };
  static Reference reference(const at::Tensor& logits);
  const Reference* reference_of(const Reading& reading) const;  // null: not a KL metric
  MetricInputs inputs(const Reading& reading, const at::Tensor& points) const;
  at::Tensor wide_values(const Reading& reading, const at::Tensor& logits, const std::optional<MetricRows>& fast,
                         const at::Tensor& points, const at::Tensor& which) const;
  at::Tensor answer_values(const Reading& reading, const SeenLogits& seen, const at::Tensor& which) const;
  at::Tensor custom_values(const Reading& reading, const ForwardResult& run) const;
  at::Tensor mean_by_row(const at::Tensor& values, const at::Tensor& rows) const;
  Points some(const at::Tensor& which) const;

  RowBatch batch_;
  std::vector<Reading> readings_;
  Points points_;                                    // of all metrics, each once
  std::vector<std::pair<Index, Index>> point_list_;  // the same: row, position
  std::vector<std::vector<bool>> read_by_;           // [metric][point]
  std::vector<Index> last_;                          // [row]
  std::vector<bool> read_;                           // [row * longest + pos]
  Index longest_, vocabulary_;
  bool needs_clean_ = false, needs_unpatched_ = false;
  Reference clean_, unpatched_;
};

}  // namespace diopter::engine
