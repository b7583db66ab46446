#include "exec/peek.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "engine/session.hpp"
#include "exec/model_facts.hpp"
#include "exec/prompt_tokens.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"

namespace diopter::exec {
namespace {

// A look from the command line: no kind whose table could limit it, nothing recorded.
class PeekMonitor final : public RunMonitor {
 public:
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {
    if (stop_requested()) throw Stopped("stopped by an interrupt");
  }
  bool stop_requested() const noexcept override { return base::interrupted(); }
  void warn(Text, Text sentence) override { throw Error(std::string(sentence)); }  // nothing in a plain forward warns
  void event(Text kind, Text sentence) override {
    if (kind == "precision") precision = sentence;
  }
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text) override { throw Error("a look draws no random numbers"); }

  std::string precision;
};

std::vector<NextToken> likeliest(const at::Tensor& logits, std::int64_t count, const text::Tokenizer& tokenizer) {
  const at::Tensor prob = at::softmax(logits.to(at::kDouble), -1);
  const auto [values, ids] = prob.topk(std::min(count, logits.size(0)));
  std::vector<NextToken> out;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const std::int64_t id = ids[i].item<std::int64_t>();
    const std::string token = tokenizer.has(id) ? std::string(tokenizer.token_bytes(id)) : tokenizer.label(id);
    out.push_back({id, token, values[i].item<double>(), logits[id].item<double>()});
  }
  return out;
}

}  // namespace

Peek peek(const PeekRequest& request) {
  const auto facts = read_facts(find_model(request.model));
  if (!facts->codec) {
    throw base::UserError(base::Exit::Refused, facts->folder.path().string() +
                                                   " has no tokenizer beside it; a text cannot be read without it");
  }
  const HookSet hooks(request.hooks);
  facts->hooks.resolve(hooks);  // unknown names are refused before weights are read
  const auto ids = prompt_ids(
      request.text,
      {.tokenizer = facts->codec->tokenizer(), .codec = facts->codec, .model = facts->info, .bos = request.bos});
  if (ids.empty() || std::ssize(ids) > facts->info.n_ctx) {
    throw base::UserError(base::Exit::Usage, "the text is " + std::to_string(ids.size()) + " tokens; " +
                                                 facts->info.name + " takes 1 to " + std::to_string(facts->info.n_ctx));
  }
  if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  const c10::NoGradGuard no_grad;
  auto model = std::make_shared<const model::Transformer>(
      model::load(facts->folder.path(), model::dtype_named(request.dtype)).parameters);
  PeekMonitor monitor;
  engine::Session session(model, facts->codec, monitor, {.kind = "peek"});
  const Prompts rows = Prompts::tokens(at::tensor(ids, at::kLong).unsqueeze(0));
  const Capture seen = session.capture(rows, hooks, {}, {});
  Peek out{.model = facts->info.name,
           .ids = ids,
           .top = likeliest(seen.logits()[0][-1], request.top, facts->codec->tokenizer()),
           .values = {},
           .precision = monitor.precision};
  for (const auto& [point, value] : seen) out.values.emplace_back(std::string(point.name), value);
  return out;
}

}  // namespace diopter::exec
