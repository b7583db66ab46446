// diopter generate MODEL TEXT: what a model writes on from a text, as it comes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/utf8.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/generate.hpp"

namespace diopter::cli {
namespace {

struct GenerateFlags {
  CommonFlags common;
  exec::GenerateRequest request;
  bool past_end = false;
};

// A model may write anything: on a terminal nothing that would steer it, but lines and tabs.
std::string shown_text(std::string_view text) {
  if (!base::is_terminal(STDOUT_FILENO)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of("\n\t"), text.size());
    out += base::printable(text.substr(0, plain), plain);
    if (plain < text.size()) out += text[plain];
    text.remove_prefix(std::min(plain + 1, text.size()));
  }
  return out;
}

base::Json document_of(const exec::GenerateReport& report, const exec::GenerateRequest& request) {
  base::Json texts = base::Json::array();
  for (const exec::GeneratedText& text : report.texts) {
    texts.push_back({{"seed", text.seed},
                     {"text", text.text},
                     {"finish", text.finish},
                     {"tokens", text.tokens},
                     {"log_probs", text.log_probs}});
  }
  return {{"schema", "diopter.generate/1"},
          {"model", report.model},
          {"prompt", request.text},
          {"ids", report.ids},
          {"texts", std::move(texts)},
          {"dtype", request.dtype},
          {"precision", report.precision.empty() ? base::Json() : base::Json(report.precision)},
          {"new_tokens", report.tokens},
          {"seconds", report.seconds},
          {"tokens_per_second", report.seconds > 0 ? static_cast<double>(report.tokens) / report.seconds : 0}};
}

int generate(GenerateFlags& flags) {
  base::install_interrupt_handlers();
  exec::GenerateRequest& request = flags.request;
  request.options.log_probs = flags.common.json;
  if (flags.past_end) request.options.at_end_token = AtEndToken::GoOn;
  const bool streams = !flags.common.json && request.samples == 1;
  if (streams) request.options.on_token = [](const NewToken& token) { write_stdout(shown_text(token.text)); };
  const exec::GenerateReport report = exec::generate(request);
  if (flags.common.json) {
    write_json(document_of(report, request));
  } else if (streams) {
    write_stdout("\n");
  } else {
    for (std::size_t i = 0; i < report.texts.size(); ++i) {
      talk(flags.common, fmt::format("{}--- sample {}, seed {}: {}", i > 0 ? "\n" : "", i + 1, report.texts[i].seed,
                                     report.texts[i].finish));
      write_stdout(shown_text(report.texts[i].text) + "\n");
    }
  }
  talk(flags.common, fmt::format("{} tokens in {:.2f} s ({:.1f} tokens/s){}", with_thousands(report.tokens),
                                 report.seconds, static_cast<double>(report.tokens) / std::max(report.seconds, 1e-9),
                                 report.interrupted ? ", interrupted"
                                 : streams          ? ", ended by " + report.texts.front().finish
                                                    : ""));
  if (!report.precision.empty()) talk(flags.common, report.precision);
  return report.interrupted ? 128 + base::interrupt_signal() : 0;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  auto flags = std::make_shared<GenerateFlags>();
  exec::GenerateRequest& request = flags->request;
  GenerateOptions& options = request.options;
  CLI::App* verb = app.add_subcommand("generate", "Write on from a text; greedy unless a temperature is given");
  verb->add_option("model", request.model,
                   "organism, a folder, a file of weights, or a model of the hub that was pulled")
      ->required();
  verb->add_option("text", request.text, "the prompt")->required();
  verb->add_option("--max-new-tokens", options.max_new_tokens, "at most so many (20)")->type_name("N");
  verb->add_option("--temperature", options.temperature, "0: the likeliest token each time")->type_name("T");
  verb->add_option("--top-k", options.top_k, "draw from the K likeliest tokens; 0: all")->type_name("K");
  verb->add_option("--top-p", options.top_p, "draw from the likeliest tokens with this probability")->type_name("P");
  verb->add_option("--stop", options.stop, "end before this string; may be given again")->type_name("TEXT");
  verb->add_option("--seed", request.seed, "of the first sample, one more for each further")->type_name("N");
  verb->add_option("--samples", request.samples, "texts that are drawn")->check(CLI::Range(1, 100000))->type_name("N");
  verb->add_flag("--past-end", flags->past_end, "the end-of-text token does not end the text");
  verb->add_option("--bos", request.bos, "family, always or never")
      ->check(CLI::IsMember({"family", "always", "never"}));
  verb->add_option("--dtype", request.dtype, "of weights and values: float32, bfloat16 or float16")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  verb->add_option("--threads", request.threads, "of LibTorch")->type_name("N");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return generate(*flags); }; });
}

}  // namespace diopter::cli
