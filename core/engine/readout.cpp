#include "engine/readout.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <numeric>

#include <diopter/error.hpp>

#include "engine/logit_reading.hpp"
#include "engine/logit_row.hpp"
#include "engine/thread_team.hpp"

namespace diopter::engine {
namespace {

// Logits of one chunk, 24 MB: enough rows for the product, and below 32 MB glibc gives a thread the same memory again.
constexpr Index kReadoutChunk = 6 << 20;

Index numbers_in(at::IntArrayRef shape) {
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

class ReadoutPass {
 public:
  ReadoutPass(const model::Transformer& model, const Tensor& resid, const Read& what) : model_(model), what_(what) {
    const ModelInfo& info = model.info();
    if (resid.dim() < 1 || resid.size(-1) != info.d_model) {
      throw Error(fmt::format("read takes a residual stream [..., {}], got [{}]", info.d_model,
                              fmt::join(resid.sizes(), ", ")));
    }
    if (what.top_k < 0 || what.top_k > info.d_vocab)
      throw Error(fmt::format("top_k {} is outside 0..{}", what.top_k, info.d_vocab));
    shape_ = resid.sizes().slice(0, static_cast<std::size_t>(resid.dim() - 1)).vec();
    places_ = numbers_in(shape_);
    if (what.kl_from.defined()) compare_with(resid.sizes(), what.kl_from);
    rows_ = resid.reshape({streams_, places_, info.d_model});
    if (what.targets.defined()) targets_ = spread_targets(what.targets);
    make_room();
  }

  Readout all() {
    const Index threads = rows_.is_cpu() ? at::get_num_threads() : 1;
    const Index blocks = streams_ + (from_.defined() ? 1 : 0);
    const Index fit = std::max<Index>(1, kReadoutChunk / (blocks * model_.info().d_vocab));
    Index chunks = (places_ + fit - 1) / fit;
    if (chunks <= 1) {  // the operators spread over the threads
      if (places_ > 0) chunk(0, places_);
      return shaped();
    }
    chunks = (chunks + threads - 1) / threads * threads;  // all threads end at about the same time
    const Index step = (places_ + chunks - 1) / chunks;
    std::atomic<Index> next = 0;
    const bool inference = c10::InferenceMode::is_enabled();
    const auto work = [&] {
      const c10::InferenceMode as_called(inference);
      const c10::NoGradGuard no_grad;
      for (Index first = next.fetch_add(step); first < places_; first = next.fetch_add(step))
        chunk(first, std::min(step, places_ - first));
    };
    if (threads == 1) {
      work();
    } else {
      ThreadTeam(static_cast<int>(threads)).run(work);
    }
    return shaped();
  }

 private:
  void compare_with(at::IntArrayRef resid, const Tensor& from) {
    const auto dims = static_cast<std::size_t>(from.dim());
    if (dims < 1 || dims > resid.size() || from.sizes() != resid.slice(resid.size() - dims)) {
      throw Error(
          fmt::format("kl_from must have the shape of the residual stream that is read, or of its last dimensions: "
                      "[{}], got [{}]",
                      fmt::join(resid, ", "), fmt::join(from.sizes(), ", ")));
    }
    streams_ = numbers_in(resid.slice(0, resid.size() - dims));
    places_ = numbers_in(from.sizes().slice(0, dims - 1));
    from_ = from.reshape({places_, from.size(-1)});
  }

  Tensor spread_targets(const Tensor& targets) const {
    if (shape_.empty() || targets.dim() != 2 || targets.size(0) != shape_.front()) {
      throw Error(fmt::format(
          "targets must be [prompt, n] for a residual stream whose first dimension is prompt ({}), got [{}]",
          shape_.empty() ? 0 : shape_.front(), fmt::join(targets.sizes(), ", ")));
    }
    if (targets.numel() > 0 && targets.max().item<Index>() >= model_.info().d_vocab) {
      throw Error(fmt::format("targets are tokens 0..{} or -1, got {}", model_.info().d_vocab - 1,
                              targets.max().item<Index>()));
    }
    const Index each = shape_.front() == 0 ? 1 : streams_ * places_ / shape_.front();
    return targets.to(rows_.device(), at::kLong).repeat_interleave(each, 0);
  }

  // Every answer is that of padding until its row is read.
  void make_room() {
    const Index rows = streams_ * places_;
    const auto room = [&](std::vector<Index> shape) {
      return at::full(shape, std::nan(""), rows_.options().dtype(at::kDouble));
    };
    if (what_.top_k > 0) {
      out_.token = at::full({rows, what_.top_k}, -1, rows_.options().dtype(at::kLong));
      out_.log_prob = room({rows, what_.top_k});
    }
    if (from_.defined()) out_.kl = room({rows});
    if (what_.entropy) out_.entropy = room({rows});
    if (!targets_.defined()) return;
    for (Tensor* target : {&out_.target_logit, &out_.target_log_prob, &out_.target_rank})
      *target = room({rows, targets_.size(1)});
  }

  Readout shaped() {
    for (Tensor* answer : {&out_.token, &out_.log_prob, &out_.kl, &out_.entropy, &out_.target_logit,
                           &out_.target_log_prob, &out_.target_rank}) {
      if (!answer->defined()) continue;
      std::vector<Index> shape = shape_;
      shape.insert(shape.end(), answer->sizes().begin() + 1, answer->sizes().end());
      *answer = answer->reshape(shape);
    }
    return out_;
  }

  // Logits of some places: of every stream, and of what they are compared with.
  struct ChunkLogits {
    Index first, count;
    Tensor padding;  // bool [block * count]
    Tensor logits;   // [block * count, d_vocab]; block: each stream, then what they are compared with
    Index from;      // its block: that of a stream with the same bits, if there is one; -1: none
  };

  ChunkLogits unembedded(Index first, Index count) const {
    std::vector<Tensor> blocks;
    for (Index s = 0; s < streams_; ++s) blocks.push_back(rows_.select(0, s).narrow(0, first, count));
    Index from = -1;
    if (from_.defined()) {
      const Tensor reference = from_.narrow(0, first, count);
      const auto same = std::find_if(blocks.rbegin(), blocks.rend(),  // a lens ends with the output
                                     [&](const Tensor& block) { return at::equal(block, reference); });
      from = blocks.rend() - same - 1;
      if (from < 0) {
        from = streams_;
        blocks.push_back(reference);
      }
    }
    const Tensor rows = blocks.size() == 1 ? blocks.front() : at::cat(blocks);
    return {first, count, rows.isnan().any(1), model_.unembed(model_.final_norm(rows)), from};
  }

  void chunk(Index first, Index count) {
    ChunkLogits read = unembedded(first, count);
    const at::ScalarType dtype = read.logits.scalar_type();
    if (!read.logits.is_cpu() || dtype == at::kDouble) {
      for (Index s = 0; s < streams_; ++s) by_operators(read, s, 0, count);
    } else {
      read.logits = read.logits.to(at::kFloat).contiguous();
      by_rows(read);
    }
  }

  // Rows [begin, begin + count) of a stream's block.
  void by_operators(const ChunkLogits& read, Index stream, Index begin, Index count) {
    const Index block = stream * read.count + begin, place = stream * places_ + read.first + begin;
    Tensor from, absent_from;
    if (read.from >= 0) {
      from = read.logits.narrow(0, read.from * read.count + begin, count);
      absent_from = read.padding.narrow(0, read.from * read.count + begin, count);
    }
    const Tensor padding = read.padding.narrow(0, block, count);
    const Readout found = read_logits(read.logits.narrow(0, block, count), from,
                                      targets_.defined() ? targets_.narrow(0, place, count) : Tensor(), what_);
    const auto keep = [&](const Tensor& into, const Tensor& values, const Tensor& absent, double missing) {
      if (!into.defined()) return;
      const Tensor hidden = values.dim() == 2 ? absent.unsqueeze(1) : absent;
      into.narrow(0, place, count).copy_(values.masked_fill(hidden, missing));
    };
    keep(out_.token, found.token, padding, -1);
    keep(out_.log_prob, found.log_prob, padding, std::nan(""));
    keep(out_.entropy, found.entropy, padding, std::nan(""));
    if (from.defined()) keep(out_.kl, found.kl, padding | absent_from, std::nan(""));
    keep(out_.target_logit, found.target_logit, padding, std::nan(""));
    keep(out_.target_log_prob, found.target_log_prob, padding, std::nan(""));
    keep(out_.target_rank, found.target_rank, padding, std::nan(""));
  }

  // The rows at one place one after another, while what they are compared with is in the cache.
  void by_rows(const ChunkLogits& read) {
    const bool* padding = read.padding.const_data_ptr<bool>();
    const auto row = [&](Index block, Index i) {
      const Index size = read.logits.size(1);
      return LogitRow{read.logits.const_data_ptr<float>() + (block * read.count + i) * size, size};
    };
    LogitReference from;
    for (Index i = 0; i < read.count; ++i) {
      const bool compares = read.from >= 0 && !padding[read.from * read.count + i];
      if (compares) from.set(row(read.from, i), tops_of(row(read.from, i)));
      for (Index s = 0; s < streams_; ++s) {
        if (padding[s * read.count + i]) continue;
        const RowReading own = read_row(row(s, i), compares ? &from : nullptr, s == read.from);
        if (own.sums.regular() && (!compares || from.sums().regular())) {
          answer(s * places_ + read.first + i, own);
        } else {
          by_operators(read, s, i, 1);
        }
      }
    }
  }

  struct RowReading {
    LogitRow row;
    std::vector<float> tops;
    LogitSums sums{};
    double kl = std::nan("");
  };

  // `from`: what the row is compared with, null: nothing; `same`: that row itself.
  static RowReading read_row(const LogitRow& row, const LogitReference* from, bool same) {
    RowReading out{.row = row, .tops = tops_of(row)};
    if (from == nullptr) {
      out.sums = sums_of(row, out.tops);
    } else if (same) {
      out.sums = from->sums();
      out.kl = 0;
    } else {
      const LogitReference::Compared compared = from->with(row, out.tops);
      out.sums = compared.sums;
      out.kl = compared.divergence;
    }
    return out;
  }

  void answer(Index place, const RowReading& read) {
    const LogitRow& row = read.row;
    const LogitSums& sums = read.sums;
    const auto number = [place](const Tensor& into, Index n, Index each) -> double& {
      return into.mutable_data_ptr<double>()[place * each + n];
    };
    const std::vector<Index> best = largest(row, read.tops, what_.top_k);
    for (std::size_t i = 0; i < best.size(); ++i) {
      const auto rank = static_cast<Index>(i);
      out_.token.mutable_data_ptr<Index>()[place * what_.top_k + rank] = best[i];
      number(out_.log_prob, rank, what_.top_k) = sums.log_prob(row.logits[best[i]]);
    }
    if (what_.entropy) number(out_.entropy, 0, 1) = sums.entropy();
    if (out_.kl.defined()) number(out_.kl, 0, 1) = read.kl;
    if (!targets_.defined()) return;
    const Index each = targets_.size(1);
    for (Index n = 0; n < each; ++n) {
      const Index target = targets_.const_data_ptr<Index>()[place * each + n];
      if (target < 0) continue;
      const float logit = row.logits[target];
      number(out_.target_logit, n, each) = logit;
      number(out_.target_log_prob, n, each) = sums.log_prob(logit);
      number(out_.target_rank, n, each) = static_cast<double>(count_above(row, logit));
    }
  }

  const model::Transformer& model_;
  const Read& what_;
  std::vector<Index> shape_;  // of resid without d_model
  Index streams_ = 1, places_ = 0;
  Tensor rows_;     // [stream, place, d_model]
  Tensor from_;     // [place, d_model]
  Tensor targets_;  // int64 [stream * place, n]
  Readout out_;     // [stream * place, ...]; threads write different rows
};

}  // namespace

Readout read_out(const model::Transformer& model, const Tensor& resid, const Read& what) {
  const c10::NoGradGuard no_grad;
  return ReadoutPass(model, resid, what).all();
}

}  // namespace diopter::engine
