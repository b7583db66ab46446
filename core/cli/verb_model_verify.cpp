// diopter model verify MODEL: is it, as diopter computes it, the model that transformers computes?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/verify/verify_model.hpp"

namespace diopter::cli {
namespace {

struct VerifyFlags {
  CommonFlags common;
  std::string model, against, save, python;
  std::int64_t seconds = 900;
};

std::vector<std::string> pythons(const VerifyFlags& flags) {
  if (!flags.python.empty()) return {flags.python};
  std::vector<std::string> out;
  if (const char* chosen = std::getenv("DIOPTER_PYTHON"); chosen != nullptr && *chosen != '\0')
    out.emplace_back(chosen);
  out.insert(out.end(), {"python3", "python"});
  return out;
}

base::Json json_of(const exec::Verification& v) {
  base::Json mismatches = base::Json::array();
  for (const auto& one : v.mismatches)
    mismatches.push_back({{"text", one.text}, {"ids", one.ours}, {"reference", one.theirs}});
  return {{"schema", "diopter.verify/1"},
          {"model", v.model},
          {"family", v.family},
          {"against", v.against},
          {"equal", v.equal()},
          {"prompts", v.prompts},
          {"positions", v.positions},
          {"largest_logit", v.largest_logit},
          {"logits", v.logits},
          {"log_probs", v.log_probs},
          {"gate", v.gate},
          {"same_top", v.same_top},
          {"resid_pre", v.stream},
          {"texts", v.texts},
          {"text_mismatches", mismatches}};
}

// "0.00012 at layer 3 of 12 (values up to 45)"
std::string stream_words(const exec::Verification& v) {
  const auto worst = std::max_element(v.stream.begin(), v.stream.end()) - v.stream.begin();
  return fmt::format("differs by at most {:.2g}, at layer {} of {} (values up to {:.3g} there)",
                     v.stream[static_cast<std::size_t>(worst)], worst, v.stream.size(),
                     v.stream_scale[static_cast<std::size_t>(worst)]);
}

std::string ids_words(const std::vector<std::int64_t>& ids) { return base::Json(ids).dump(); }

void show(const CommonFlags& common, const exec::Verification& v) {
  Rows rows{
      .columns = {{.name = "what", .heading = "", .whole = true}, {.name = "found", .heading = "", .whole = true}},
      .cells = {}};
  const auto row = [&](const char* what, const std::string& found) { rows.cells.push_back({what, found}); };
  row("model", fmt::format("{} ({})", v.model, v.family));
  row("against", v.against);
  row("prompts", fmt::format("{} of random tokens, {} positions, float32", v.prompts, v.positions));
  row("logits", fmt::format("up to {:.3g}, differ by at most {:.2g}", v.largest_logit, v.logits));
  row("log-probabilities", fmt::format("differ by at most {:.2g}; rounding allows {:.2g}", v.log_probs, v.gate));
  row("likeliest token", fmt::format("the same at {} of {} positions", v.same_top, v.positions));
  if (!v.stream.empty()) row("residual stream", stream_words(v));
  if (v.texts > 0)
    row("tokenizer", fmt::format("{} of {} texts give the same ids", v.texts - std::ssize(v.mismatches), v.texts));
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, v.mismatches.size()); ++i) {
    const auto& one = v.mismatches[i];
    row("", fmt::format("{}: {} here, {} there", base::quoted(base::printable(one.text)), ids_words(one.ours),
                        ids_words(one.theirs)));
  }
  if (v.mismatches.size() > kShown)
    row("", fmt::format("and {} more; --json lists them", v.mismatches.size() - kShown));
  row("result", v.equal() ? "equal within rounding" : "NOT EQUAL");
  CommonFlags plain = common;
  plain.no_header = true;
  write_rows(plain, "diopter.verify/1", rows, std::ssize(rows.cells));
}

int verify(const VerifyFlags& flags) {
  const exec::Verification result = exec::verify_model({.model = exec::find_model(flags.model),
                                                        .against = flags.against,
                                                        .save = flags.save,
                                                        .pythons = pythons(flags),
                                                        .seconds = flags.seconds});
  if (flags.common.format() == Format::Json) {
    write_json(json_of(result));
  } else {
    show(flags.common, result);
  }
  if (!flags.save.empty())
    talk(flags.common, "saved   " + flags.save + "     diopter model verify MODEL --against " + flags.save);
  return result.equal() ? 0 : static_cast<int>(base::Exit::Failed);
}

}  // namespace

void add_model_verify(CLI::App& group, Action& action) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* verb =
      group.add_subcommand("verify", "Compare a model's logits, stream and tokens with transformers on this machine");
  verb->add_option("model", flags->model, "organism, a folder, or a hub id")->required();
  verb->add_option("--python", flags->python,
                   "a Python that has transformers; default $DIOPTER_PYTHON, python3, python")
      ->type_name("EXE");
  verb->add_option("--against", flags->against, "compare with logits stored by --save instead")->type_name("FILE");
  verb->add_option("--save", flags->save, "store the reference logits (.safetensors) for machines without Python")
      ->type_name("FILE");
  verb->add_option("--time-limit", flags->seconds, "for transformers")
      ->check(CLI::Range(1, 86400))
      ->type_name("SECONDS");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return verify(*flags); }; });
}

}  // namespace diopter::cli
