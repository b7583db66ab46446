#include "engine/packed/after_blocks.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "engine/operations.hpp"

namespace diopter::engine {
namespace {

constexpr Index kNumbersAtOnce = 8 << 20;  // logits held for one piece

}  // namespace

AfterBlocks::AfterBlocks(const model::Transformer& model, RowTap& tap, Rows rows)
    : model_(model), tap_(tap), at_(std::move(rows.at)) {
  const HookTable& hooks = model.hooks();
  const auto wanted = [&](Point point) { return tap_.wants(hooks.id(point)); };
  logits_shown_ = wanted(Point::UnembedIn) || wanted(Point::UnembedOut);
  tap_.rows_are(at_);
  normalized_ = model.final_norm(rows.value.unsqueeze(0), {.tap = &tap_}).squeeze(0);
  const bool observed = tap_.observes(hooks.id(Point::UnembedIn)) || tap_.observes(hooks.id(Point::UnembedOut));
  const Index count = normalized_.size(0), piece = std::max<Index>(1, kNumbersAtOnce / model.info().d_vocab);
  for (Index first = 0; observed && first < count; first += piece)
    logits(at::arange(first, std::min(count, first + piece)));
}

at::Tensor AfterBlocks::logits(const at::Tensor& rows) {
  operations_ += product_operations(rows.size(0), model_.info().d_model, model_.info().d_vocab);
  const at::Tensor normalized = normalized_.index_select(0, rows);
  if (!logits_shown_) return model_.unembed(normalized);
  std::vector<RowAt> which;
  for (Index i = 0; i < rows.size(0); ++i)
    which.push_back(at_[static_cast<std::size_t>(rows.const_data_ptr<Index>()[i])]);
  tap_.rows_are(which);
  return model_.unembed(normalized.unsqueeze(0), {.tap = &tap_}).squeeze(0);
}

at::Tensor AfterBlocks::token_logits(const at::Tensor& rows, const at::Tensor& tokens) {
  if (!logits_shown_) {
    operations_ += product_operations(rows.size(0), model_.info().d_model, tokens.size(1));
    return model_.token_logits(normalized_.index_select(0, rows), tokens);
  }
  const Index count = rows.size(0), piece = std::max<Index>(1, kNumbersAtOnce / model_.info().d_vocab);
  std::vector<at::Tensor> out;
  for (Index first = 0; first < count; first += piece) {
    const Index here = std::min(piece, count - first);
    out.push_back(logits(rows.narrow(0, first, here).contiguous()).gather(1, tokens.narrow(0, first, here)));
  }
  return at::cat(out);
}

SeenLogits AfterBlocks::seen(at::Tensor points, at::Tensor row_of) {
  return {.point = std::move(points),
          .logits = [this, row_of](const at::Tensor& which) { return logits(row_of.index_select(0, which)); },
          .token_logits =
              [this, row_of](const at::Tensor& which, const at::Tensor& tokens) {
                return token_logits(row_of.index_select(0, which), tokens);
              }};
}

}  // namespace diopter::engine
