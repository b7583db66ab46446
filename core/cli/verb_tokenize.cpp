// diopter tokenize MODEL TEXT: the tokens as a run would see them, with positions and ids.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <iterator>
#include <memory>

#include "base/error.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/model_source.hpp"
#include "exec/model_tokenizer.hpp"
#include "exec/prompt_tokens.hpp"
#include "text/tokenizer.hpp"

namespace diopter::cli {
namespace {

struct TokenizeFlags {
  CommonFlags common;
  std::string model, text, bos = "family";
};

int tokenize(const TokenizeFlags& flags) {
  const auto folder = exec::find_model(flags.model);
  const ModelInfo info = exec::read_info(folder);
  const auto found = exec::load_tokenizer(folder);
  if (!found) {
    throw base::UserError(base::Exit::Refused, "no tokenizer lies with the model " + folder.path().string(),
                          "put its tokenizer.json or tokenizer.model beside it", "tokenizer.missing");
  }
  const text::Tokenizer& tokenizer = *found;
  std::string text = flags.text;
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto ids = exec::prompt_ids(text, {.tokenizer = tokenizer, .codec = nullptr, .model = info, .bos = flags.bos});
  Rows rows{.columns = {{.name = "pos", .heading = "POS", .numeric = true},
                        {.name = "id", .heading = "ID", .numeric = true},
                        {.name = "token", .heading = "TOKEN", .whole = true}},
            .cells = {}};
  for (std::size_t i = 0; i < ids.size(); ++i) rows.cells.push_back({i, ids[i], tokenizer.label(ids[i])});
  write_rows(flags.common, "diopter.tokens/1", rows, std::ssize(rows.cells), {{"model", info.name}, {"text", text}});
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  auto flags = std::make_shared<TokenizeFlags>();
  CLI::App* verb = app.add_subcommand("tokenize", "Tokens of a text, as a run would see them");
  verb->add_option("model", flags->model, "organism, or a folder or file of weights with a tokenizer")->required();
  verb->add_option("text", flags->text, "the text; - reads standard input")->required();
  verb->add_option("--bos", flags->bos, "family, always or never")->check(CLI::IsMember({"family", "always", "never"}));
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return tokenize(*flags); }; });
}

}  // namespace diopter::cli
