#include "exec/peek.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "engine/session.hpp"
#include "exec/look_model.hpp"
#include "exec/look_monitor.hpp"

namespace diopter::exec {
namespace {

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
  const LookedAt look = look_at(request.model, request.text, request.bos);
  const HookSet hooks(request.hooks);
  look.facts->hooks.resolve(hooks);  // unknown names are refused before weights are read
  if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  const c10::NoGradGuard no_grad;
  LookMonitor monitor;
  engine::Session session(loaded(look, request.dtype), look.facts->codec, monitor, {.kind = "peek"});
  const Prompts rows = Prompts::tokens(at::tensor(look.ids, at::kLong).unsqueeze(0));
  const Capture seen = session.capture(rows, hooks, {}, {});
  Peek out{.model = look.facts->info.name,
           .ids = look.ids,
           .top = likeliest(seen.logits()[0][-1], request.top, look.facts->codec->tokenizer()),
           .values = {},
           .precision = monitor.precision()};
  for (const auto& [point, value] : seen) out.values.emplace_back(std::string(point.name), value);
  return out;
}

}  // namespace diopter::exec
