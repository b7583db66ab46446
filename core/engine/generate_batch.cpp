#include "engine/generate_batch.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include <diopter/error.hpp>

namespace diopter::engine {
namespace {

std::vector<Index> last_positions(const GenerateCall& call, const RowBatch& prompts) {
  std::vector<Index> last;
  for (const Index length : prompts.lengths)
    last.push_back(positions_held(length, call.options, call.runner.info()) - 1);
  return last;
}

Points ends_of(const RowBatch& prompts, at::Device device) {
  return {at::arange(prompts.size()).to(device),
          at::tensor(at::ArrayRef<Index>(prompts.lengths), at::kLong).sub(1).to(device)};
}

}  // namespace

GenerateBatch::GenerateBatch(GenerateCall& call, const RowBatch& prompts, std::span<const Index> seeds,
                             Index first_sample, std::vector<GeneratedRow>& out)
    : call_(call),
      prompts_(prompts),
      seeds_(seeds),
      first_sample_(first_sample),
      out_(out),
      work_(call.runner, prompts, call.codec, call.plan.path, call.plan.max_forward),
      edits_(work_, call.edits, call.session.kind, last_positions(call, prompts), call.tally),
      cache_(call.runner.info(), prompts.size(),
             seeds.size() > 1 ? prompts.longest() : positions_held(prompts.longest(), call.options, call.runner.info()),
             call.runner.values()) {}

at::Tensor GenerateBatch::run_prompts() {
  edits_.prepare();
  HookBus bus(call_.runner.hooks());
  edits_.add_to_prompts(bus);
  std::vector<Index> unchanged;
  const ForwardResult result = call_.runner.run(prompts_, &bus, call_.plan.path, &unchanged, {.cache = &cache_});
  edits_.ran(unchanged);
  at::Tensor logits = result.logits(ends_of(prompts_, call_.runner.values().device()));
  if (seeds_.size() == 1) return logits;
  return logits.repeat_interleave(static_cast<Index>(seeds_.size()), 0);
}

void GenerateBatch::add_rows() {
  std::vector<Index> prompt_of, ends;
  const auto samples = static_cast<Index>(call_.plan.seeds.size());
  for (Index prompt = 0; prompt < prompts_.size(); ++prompt) {
    const Index length = prompts_.lengths[static_cast<std::size_t>(prompt)];
    const std::span<const Index> ids(prompts_.ids.const_data_ptr<Index>() + prompt * prompts_.longest(),
                                     static_cast<std::size_t>(length));
    for (std::size_t s = 0; s < seeds_.size(); ++s) {
      const Index sample = first_sample_ + static_cast<Index>(s);
      GeneratedRow& out = out_[static_cast<std::size_t>(prompts_.call_row(prompt) * samples + sample)];
      live_.push_back({prompt, sample, length - 1, SampleRng(seeds_[s], ids), TextStream(call_.options.stop), &out});
      prompt_of.push_back(prompt);
      ends.push_back(length);
    }
  }
  if (seeds_.size() > 1)
    cache_ = cache_.rows(prompt_of, positions_held(prompts_.longest(), call_.options, call_.runner.info()));
  cache_.set_ends(ends);
}

at::Tensor GenerateBatch::run_step() {
  StepRows step;
  std::vector<Index> tokens;
  for (const Live& row : live_) {
    step.prompt.push_back(row.prompt);
    step.position.push_back(row.position);
    tokens.push_back(row.out->tokens.back());
  }
  const at::Device device = call_.runner.values().device();
  model::Rows rows{.cache = &cache_};
  if (!cache_.ends().empty()) {  // unequal rows; else they all go on where the cache ends
    rows.positions = at::tensor(at::ArrayRef<Index>(step.position), at::kLong).unsqueeze(1).to(device);
    rows.mask = model::AttentionMask::at_positions(rows.positions);
  }
  const RowBatch batch = step_batch(prompts_, at::tensor(at::ArrayRef<Index>(tokens), at::kLong), std::move(step));
  HookBus bus(call_.runner.hooks());
  edits_.add_to_step(bus, batch);
  std::vector<Index> unchanged;
  const ForwardResult result = call_.runner.run(batch, &bus, call_.plan.path, &unchanged, rows);
  edits_.ran(unchanged);
  return result.every_logit().squeeze(1);
}

bool GenerateBatch::accept(Live& row, Index token, const double* log_prob) {
  const GenerateOptions& options = call_.options;
  GeneratedRow& out = *row.out;
  if (token == kUnset) {
    throw Error(fmt::format(
        "the logits of prompt {} after {} new tokens are not finite, so no token can be chosen; an edit may be too "
        "large",
        prompts_.call_row(row.prompt), out.tokens.size()));
  }
  out.tokens.push_back(token);
  if (log_prob != nullptr) out.log_probs.push_back(*log_prob);
  ++row.position;
  const auto& ends = call_.session.end_tokens;
  std::string piece;
  bool ended = options.at_end_token == AtEndToken::Stop && std::find(ends.begin(), ends.end(), token) != ends.end();
  if (ended) {
    out.finish = Finish::EndToken;
  } else {
    if (call_.codec != nullptr) piece = row.text.add(call_.codec->text(token));
    ended = true;
    if (row.text.stopped()) {
      out.finish = Finish::StopString;
    } else if (static_cast<Index>(out.tokens.size()) == options.max_new_tokens) {
      out.finish = Finish::Length;
    } else if (row.position >= call_.runner.info().n_ctx) {
      out.finish = Finish::Context;
    } else {
      ended = false;
    }
  }
  if (ended) piece += row.text.finish();
  out.text += piece;
  if (options.on_token) {
    const Runner::Busy busy(call_.runner);
    options.on_token({.prompt = prompts_.call_row(row.prompt),
                      .sample = row.sample,
                      .token = token,
                      .log_prob = log_prob != nullptr ? *log_prob : kNone,
                      .text = piece,
                      .finish = ended ? std::optional(out.finish) : std::nullopt});
  }
  call_.done += ended ? options.max_new_tokens - static_cast<Index>(out.tokens.size()) + 1 : 1;
  return !ended;
}

// As in the cache: the last text takes the place of the one that leaves.
void GenerateBatch::leave(std::size_t row) {
  if (live_.size() > 1) cache_.drop_row(static_cast<Index>(row));
  if (row + 1 != live_.size()) live_[row] = std::move(live_.back());
  live_.pop_back();
}

void GenerateBatch::choose(const at::Tensor& logits) {
  std::vector<SampleRng*> generators;
  for (Live& row : live_) generators.push_back(&row.rng);
  const std::vector<Index> tokens = chosen_tokens(logits, call_.plan.rule, generators);
  std::vector<double> log_probs;
  const bool chosen = std::find(tokens.begin(), tokens.end(), kUnset) == tokens.end();
  if (call_.options.log_probs && chosen) log_probs = log_probs_of(logits, tokens);
  std::vector<std::size_t> ended;
  for (std::size_t row = 0; row < live_.size(); ++row) {
    if (!accept(live_[row], tokens[row], log_probs.empty() ? nullptr : &log_probs[row])) ended.push_back(row);
  }
  // From the last on, so that no row that has to leave changes its place before it does.
  std::for_each(ended.rbegin(), ended.rend(), [&](std::size_t row) { leave(row); });
  call_.runner.monitor().progress("tokens", call_.done, call_.total, {});
}

void GenerateBatch::run() {
  at::Tensor logits = run_prompts();
  add_rows();
  for (choose(logits); !live_.empty(); choose(logits)) logits = run_step();
}

}  // namespace diopter::engine
