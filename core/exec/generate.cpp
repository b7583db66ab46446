#include "exec/generate.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "engine/session.hpp"
#include "exec/look_model.hpp"
#include "exec/look_monitor.hpp"

namespace diopter::exec {
namespace {

const char* finish_word(Finish finish) {
  switch (finish) {
    case Finish::Length: return "length";
    case Finish::EndToken: return "end_token";
    case Finish::StopString: return "stop_string";
    case Finish::Context: return "context";
  }
  base::internal_error(__FILE__, __LINE__, "a text ended for a reason without a name");
}

}  // namespace

GenerateReport generate(const GenerateRequest& request) {
  GenerateOptions options = request.options;
  for (std::int64_t sample = 0; sample < request.samples; ++sample) options.seeds.push_back(request.seed + sample);
  check(options);
  const LookedAt look = look_at(request.model, request.text, request.bos);
  GenerateReport out{.model = look.facts->info.name, .ids = look.ids};
  for (const Index seed : options.seeds) out.texts.push_back({.seed = seed, .finish = "interrupted"});
  options.on_token = [&](const NewToken& token) {  // kept as they come, so that an interrupt loses nothing
    GeneratedText& text = out.texts[static_cast<std::size_t>(token.sample)];
    text.text += token.text;
    text.tokens.push_back(token.token);
    if (options.log_probs) text.log_probs.push_back(token.log_prob);
    if (token.finish) text.finish = finish_word(*token.finish);
    ++out.tokens;
    if (request.options.on_token) request.options.on_token(token);
  };
  if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  const auto model = loaded(look, request.dtype);
  LookMonitor monitor;
  engine::Session session(model, look.facts->codec, monitor,
                          {.kind = "generate", .end_tokens = look.facts->end_tokens});
  const auto started = std::chrono::steady_clock::now();
  try {
    session.generate(Prompts::tokens(at::tensor(look.ids, at::kLong).unsqueeze(0)), options, {});
  } catch (const Stopped&) {
    out.interrupted = true;
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  out.precision = monitor.precision();
  return out;
}

}  // namespace diopter::exec
