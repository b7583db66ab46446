// Two results of one sweep: equal within the rounding of a forward, or a sentence about where they are not.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/sweep_draws/sweeps.hpp"

namespace diopter::engine::testing::draws {

inline constexpr double kTolerance = 1e-5;  // of the largest logit, raw metric

struct SweepOutcome {
  std::optional<Cells> cells;
  std::string refusal;               // empty: none
  std::vector<at::Tensor> chunked;   // per metric: all chunks' values, [cell, prompt]
  std::vector<at::Tensor> observed;  // per observed point, [cell, prompt, ...]
  std::vector<std::string> points;   // their names
  Index next = 0;                    // the cell that the next chunk begins with
  bool in_order = true;
};

inline SweepOutcome outcome_of(Session& session, Sweep sweep, bool listen) {
  SweepOutcome out;
  std::vector<std::vector<at::Tensor>> values(sweep.metrics.size()), seen;
  if (listen) {
    sweep.on_chunk = [&](const Chunk& chunk) {
      out.in_order = out.in_order && chunk.first == out.next;
      for (std::size_t m = 0; m < values.size(); ++m) values[m].push_back(chunk.values.at(m).clone());
      if (!values.empty()) out.next += values.front().back().size(0);
      std::size_t i = 0;
      for (const auto& [point, value] : chunk.observed) {
        if (seen.size() <= i) {
          seen.emplace_back();
          out.points.emplace_back(point.name);
        }
        seen[i++].push_back(value.clone());
      }
    };
  }
  try {
    out.cells = session.sweep(sweep);
  } catch (const Error& error) {
    out.refusal = error.what();
    return out;
  }
  for (auto& parts : values) out.chunked.push_back(parts.empty() ? at::Tensor() : at::cat(parts));
  for (auto& parts : seen) out.observed.push_back(at::cat(parts));
  return out;
}

// Read in the plain run beside what was asked: how large the logits are, and which ranks near-ties allow.
class Scales {
 public:
  Scales(const Sweep& sweep, const DrawnPrompts& prompts) : asked_(sweep.metrics.size()) {
    const at::Tensor answer = prompts.answer;
    metrics_ = sweep.metrics;
    // Where rows and donor differ in length, where all else is read, for metrics compare position by position.
    metrics_.push_back(Metric::custom(
        "largest", [](const at::Tensor& logits, const Prompts&) { return largest_of_rows(logits); },
        prompts.equal_lengths ? Positions() : Positions::last()));
    for (std::size_t m = 0; m < asked_; ++m) {
      if (sweep.metrics[m].name() != "rank") continue;
      for (const double side : {1., -1.}) {
        metrics_.push_back(Metric::custom(
            "rank bound",
            [answer, side](const at::Tensor& logits, const Prompts& rows) {
              return rank_bound(logits, rows, answer, side);
            },
            sweep.metrics[m].spec().at));
      }
      ranks_.emplace_back(m, static_cast<Index>(metrics_.size()) - 2);
    }
  }

  const std::vector<Metric>& metrics() const { return metrics_; }
  Index largest() const { return static_cast<Index>(asked_); }
  // Of the lower bound; the upper follows. -1: not a rank.
  Index bounds(std::size_t m) const {
    for (const auto& [rank, lower] : ranks_) {
      if (rank == m) return lower;
    }
    return -1;
  }

 private:
  static at::Tensor by_slot(const at::Tensor& logits) {  // [prompt, n, d_vocab], NaN where a row has less to read
    return (logits.dim() == 2 ? logits.unsqueeze(1) : logits).to(at::kDouble);
  }
  static at::Tensor largest_of_rows(const at::Tensor& logits) {
    const at::Tensor sizes = by_slot(logits).abs();
    return at::where(sizes.isnan(), at::zeros({}, at::kDouble), sizes).amax({1, 2});
  }
  // The mean rank if every logit within rounding of the answer stood below it (side 1) or above it (side -1).
  static at::Tensor rank_bound(const at::Tensor& logits, const Prompts& rows, const at::Tensor& answer, double side) {
    const at::Tensor all = by_slot(logits), tokens = answer.index_select(0, rows.rows()).unsqueeze(1);
    const at::Tensor index = tokens.clamp_min(0).expand({-1, all.size(1), -1});
    const at::Tensor chosen =
        all.gather(2, index).masked_fill(tokens < 0, -std::numeric_limits<double>::infinity()).amax(2, true);
    const at::Tensor close = all.abs().amax(2, true) * (2 * kTolerance * side);
    const at::Tensor better = side > 0 ? all > chosen + close : all >= chosen + close;
    const at::Tensor rank = better.sum(2).to(at::kDouble) - (side > 0 ? 0 : 1);
    return rank.masked_fill(all.isnan().any(2), std::nan("")).nanmean(1);
  }

  std::size_t asked_;
  std::vector<Metric> metrics_;
  std::vector<std::pair<std::size_t, Index>> ranks_;
};

class Comparison {
 public:
  Comparison(const SweepOutcome& plain, const SweepOutcome& quick, const Sweep& sweep, const Scales& scales)
      : plain_(plain), quick_(quick), sweep_(sweep), scales_(scales) {}

  // Empty: equal.
  std::string problem() {
    for (std::size_t m = 0; problem_.empty() && m < sweep_.metrics.size(); ++m) metric(m);
    if (problem_.empty() && plain_.cells->counts().cells != quick_.cells->counts().cells) problem_ = "counts of cells";
    if (problem_.empty() && !(plain_.in_order && quick_.in_order)) problem_ = "chunks out of order";
    if (problem_.empty() && plain_.points != quick_.points) problem_ = "other points observed";
    for (std::size_t i = 0; problem_.empty() && i < plain_.observed.size(); ++i) observed(i);
    return problem_;
  }
  double largest() const { return largest_; }                    // difference / largest logit
  double largest_observed() const { return largest_observed_; }  // difference / largest value of the point
  Index values() const { return values_; }
  bool finite() const { return finite_; }

 private:
  using Read = at::Tensor (Cells::*)(Index) const;

  at::Tensor floor_of_logits(Read read) const {  // the least a difference is measured by
    at::Tensor cell = (*plain_.cells.*read)(scales_.largest());
    const at::Tensor base = plain_.cells->base(scales_.largest());
    return at::maximum(cell.nan_to_num(0), base.nan_to_num(0).expand_as(cell)).clamp_min(1e-3);
  }

  void metric(std::size_t m) {
    const auto at = static_cast<Index>(m);
    for (const auto& [what, read] :
         {std::pair<const char*, Read>{"values", &Cells::values}, std::pair<const char*, Read>{"base", &Cells::base},
          std::pair<const char*, Read>{"donor", &Cells::donor}}) {
      const at::Tensor plain = (*plain_.cells.*read)(at), quick = (*quick_.cells.*read)(at);
      if (plain.defined() != quick.defined()) return fail(m, what, "only one of them has it");
      if (!plain.defined()) continue;
      if (plain.sizes() != quick.sizes()) return fail(m, what, "shapes");
      if (!at::equal(plain.isnan(), quick.isnan())) return fail(m, what, "NaN elsewhere");
      const at::Tensor scale = floor_of_logits(read);
      if (const Index lower = scales_.bounds(m); lower >= 0) {
        const at::Tensor low = (*plain_.cells.*read)(lower), high = (*plain_.cells.*read)(lower + 1);
        if ((quick < low - 1e-9).any().item<bool>() || (quick > high + 1e-9).any().item<bool>())
          return fail(m, what, fmt::format("{} where {} to {} are possible", text(quick), text(low), text(high)));
      } else if (!near(plain, quick, scale)) {
        return fail(m, what, fmt::format("{} and {}, logits up to {}", text(plain), text(quick), text(scale)));
      }
    }
    if (quick_.chunked.size() > m && quick_.chunked[m].defined()) {
      const at::Tensor chunks = quick_.chunked[m], whole = quick_.cells->values(at).reshape(chunks.sizes());
      if (!at::equal(chunks.nan_to_num(-7), whole.nan_to_num(-7))) return fail(m, "chunks", "not the values");
    }
    normalised(m);
  }

  void normalised(std::size_t m) {
    const auto at = static_cast<Index>(m);
    const at::Tensor plain = plain_.cells->normalised(at), quick = quick_.cells->normalised(at);
    if (plain.defined() != quick.defined()) return fail(m, "normalised", "only one of them has it");
    if (!plain.defined()) return;
    if (!at::equal(plain.isnan(), quick.isnan())) return fail(m, "normalised", "NaN elsewhere");
    if (scales_.bounds(m) >= 0) return;  // a ratio of ranks jumps as they do
    const at::Tensor base = plain_.cells->base(at), donor = plain_.cells->donor(at);
    const double gap = (donor - base).abs().nan_to_num(0).max().item<double>();
    const at::Tensor scale = floor_of_logits(&Cells::values).amax(-1);
    const at::Tensor least = least_gap(plain_.cells->values(at), base, donor);
    const at::Tensor allowed = 4 * kTolerance * scale * (1 + plain.abs()) / least;
    if (((plain - quick).abs() > allowed).any().item<bool>())
      fail(m, "normalised", fmt::format("{} and {}, gaps up to {}", text(plain), text(quick), gap));
  }

  // |mean donor - mean base| over the prompts that a cell has.
  static at::Tensor least_gap(const at::Tensor& values, const at::Tensor& base, const at::Tensor& donor) {
    const at::Tensor there = values.isnan().logical_not();
    const at::Tensor sum = at::where(there, (donor - base).nan_to_num(0), at::zeros({}, at::kDouble)).sum(-1);
    return (sum / there.sum(-1)).abs().clamp_min(1e-12);
  }

  bool near(const at::Tensor& plain, const at::Tensor& quick, const at::Tensor& scale) {
    const at::Tensor infinite = plain.isinf();
    if (!at::equal(infinite, quick.isinf())) return false;
    finite_ = finite_ && !infinite.any().item<bool>() && scale.isfinite().all().item<bool>();
    const at::Tensor share = ((plain - quick).abs() / scale).masked_fill(infinite, 0).nan_to_num(0);
    if (share.numel() == 0) return true;
    values_ += plain.isfinite().sum().item<Index>();
    const double most = share.max().item<double>();
    largest_ = std::max(largest_, most);
    return most <= kTolerance;
  }

  void observed(std::size_t i) {
    const at::Tensor &plain = plain_.observed[i], &quick = quick_.observed[i];
    const auto differs = [&](const char* how) { problem_ = fmt::format("observed {}: {}", plain_.points[i], how); };
    if (plain.sizes() != quick.sizes()) return differs("shapes");
    if (!at::equal(plain.isnan(), quick.isnan())) return differs("NaN elsewhere");
    if (!at::equal(plain.isinf(), quick.isinf())) return differs("infinite elsewhere");
    const at::Tensor known = plain.isfinite(), zero = at::zeros({}, plain.options());
    const double scale = std::max(at::where(known, plain, zero).abs().max().item<double>(), 1e-6);
    const double most = at::where(known, plain - quick, zero).abs().max().item<double>() / scale;
    largest_observed_ = std::max(largest_observed_, most);
    if (most > kTolerance) differs(fmt::format("{:.3g} of the largest value", most).c_str());
  }

  void fail(std::size_t m, const char* what, const std::string& how) {
    problem_ = fmt::format("{} of {}: {}", what, sweep_.metrics[m].name(), how);
  }

  static std::string text(const at::Tensor& values) {
    std::string out;
    const at::Tensor flat = values.reshape({-1}).to(at::kDouble);
    for (Index i = 0; i < std::min<Index>(flat.numel(), 40); ++i)
      out += fmt::format("{}{:.7g}", i == 0 ? "[" : ", ", flat[i].item<double>());
    return out + (flat.numel() > 40 ? ", ...]" : "]");
  }

  const SweepOutcome &plain_, &quick_;
  const Sweep& sweep_;
  const Scales& scales_;
  std::string problem_;
  double largest_ = 0, largest_observed_ = 0;
  Index values_ = 0;
  bool finite_ = true;
};

}  // namespace diopter::engine::testing::draws
