#include "exec/prompt_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::exec {
namespace {

using study::Problems;
using study::PromptCell;
using study::PromptRow;

bool wants_bos(const TokenizerUse& use) {
  if (use.bos == "always") return true;
  if (use.bos == "never") return false;
  return use.model.bos == BosPolicy::Prepend;
}

std::string shown(std::string_view text) { return "'" + base::printable(text, 60) + "'"; }

std::string pieces_of(std::string_view text, const text::Tokenizer& tokenizer) {
  std::string out;
  for (const auto& piece : tokenizer.pieces(text)) out += (out.empty() ? "" : " ") + shown(piece);
  return out;
}

std::string row_of_tokens(const std::vector<Index>& ids, const text::Tokenizer& tokenizer) {
  std::string out;
  for (const Index id : ids) out += (out.empty() ? "" : "|") + base::printable(tokenizer.token_bytes(id), 40);
  return out;
}

// One text of a row: ids, or nothing after a problem was added.
std::optional<std::vector<Index>> ids_of(const PromptCell& cell, const TokenizerUse& use, Problems& problems) {
  if (!cell.value.is_string()) return std::nullopt;  // the study room said so already
  try {
    std::vector<Index> ids = prompt_ids(cell.value.get_ref<const std::string&>(), use);
    if (ids.empty()) {
      problems.error(cell.span, "the text is empty and no BOS is put before it; there is nothing to run");
      return std::nullopt;
    }
    if (std::ssize(ids) > use.model.n_ctx) {
      problems.error(cell.span, fmt::format("the text is {} tokens, but {} takes at most {}", ids.size(), use.model.name,
                                            use.model.n_ctx));
      return std::nullopt;
    }
    for (const Index id : ids) {
      if (id >= use.model.d_vocab) {
        problems.error(cell.span, fmt::format("token {} of the tokenizer is not in the vocabulary of {} ({} tokens); the "
                                              "tokenizer is another model's", id, use.model.name, use.model.d_vocab));
        return std::nullopt;
      }
    }
    return ids;
  } catch (const base::UserError& error) {
    problems.error(cell.span, error.what());
    return std::nullopt;
  }
}

// Answers or foils of a row: [choice][token].
std::optional<std::vector<std::vector<Index>>> choices_of(const PromptRow& row, const char* column, const TokenizerUse& use,
                                                          bool single, Problems& problems) {
  std::vector<std::vector<Index>> out;
  const PromptCell* cell = row.find(column);
  const study::SourceSpan span = cell ? cell->span : row.span;
  for (const std::string& choice : row.choices(column)) {
    std::vector<std::int64_t> ids;
    try {
      ids = use.tokenizer.encode(choice);
    } catch (const base::UserError& error) {
      problems.error(span, error.what());
      return std::nullopt;
    }
    if (ids.empty()) {
      problems.error(span, fmt::format("the {} is empty; it must be one token", column));
      return std::nullopt;
    }
    if (single && ids.size() != 1) {
      auto& problem = problems.error(span, fmt::format("{} is {} tokens of {} ({}), but {} must be one", shown(choice), ids.size(),
                                                       use.model.name, pieces_of(choice, use.tokenizer),
                                                       std::string_view(column) == "answer" ? "an answer" : "a foil"));
      if (!choice.starts_with(' ') && use.tokenizer.single_token(" " + choice)) {
        problem.help = fmt::format("with its space it is one token: \" {}\"", choice);
      }
      return std::nullopt;
    }
    out.emplace_back(ids.begin(), ids.end());
  }
  return out;
}

void check_pair(const PromptRow& row, std::size_t number, const PromptsData::Row& tokens, const study::PromptSet& set,
                bool mapped, const TokenizerUse& use, Problems& problems) {
  const PromptCell* corrupted = row.find("corrupted");
  if (tokens.tokens == tokens.corrupted) {
    problems.error(corrupted->span, fmt::format("row {}: clean and corrupted are the same tokens; there is nothing to compare", number));
    return;
  }
  if (tokens.tokens.size() != tokens.corrupted.size() && set.align != study::Align::End && !mapped) {
    auto& problem = problems.error(corrupted->span,
                                   fmt::format("row {}: clean has {} tokens, corrupted {}; positions would compare different words",
                                               number, tokens.tokens.size(), tokens.corrupted.size()));
    problem.notes = {"clean      " + row_of_tokens(tokens.tokens, use.tokenizer),
                     "corrupted  " + row_of_tokens(tokens.corrupted, use.tokenizer)};
    problem.help = "align = \"end\", or give a map, or choose prompts of equal length";
  }
}

}  // namespace

std::vector<Index> prompt_ids(std::string_view text, const TokenizerUse& use) {
  const auto encoded = use.tokenizer.encode(text);
  std::vector<Index> ids(encoded.begin(), encoded.end());
  if (!wants_bos(use)) return ids;
  const auto bos = use.tokenizer.bos();
  if (!bos) {
    throw base::UserError(base::Exit::Usage, "the tokenizer of " + use.model.name + " has no BOS token; write bos = \"never\"");
  }
  if (!ids.empty() && ids.front() == *bos) {
    throw base::UserError(base::Exit::Usage, "the text already starts with BOS (" + shown(use.tokenizer.token_bytes(*bos)) +
                                                 ") and diopter puts one before it; remove it or write bos = \"never\"");
  }
  ids.insert(ids.begin(), *bos);
  return ids;
}

std::shared_ptr<const PromptsData> tokenize(const study::PromptSet& set, const TokenizerUse& use, const RowDemands& demands,
                                            Problems& problems) {
  auto data = std::make_shared<PromptsData>();
  data->name = set.name;
  data->codec = use.codec;
  data->has_pairs = set.has_column("corrupted");
  data->set_size = std::ssize(set.rows);
  if (set.align == study::Align::End) data->align = PromptsData::Align::End;
  const std::size_t errors_before = problems.error_count();
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    const PromptRow& row = set.rows[i];
    PromptsData::Row tokens{.index = static_cast<Index>(i)};
    const PromptCell* clean = row.find("clean");
    if (!clean) {
      problems.error(row.span, fmt::format("row {}: there is no 'clean' text", i + 1));
      continue;
    }
    const auto ids = ids_of(*clean, use, problems);
    if (ids) tokens.tokens = *ids;
    const auto pairs = row.map();
    if (const PromptCell* corrupted = row.find("corrupted")) {
      const auto other = ids_of(*corrupted, use, problems);
      if (other) tokens.corrupted = *other;
      if (ids && other && demands.pairs) check_pair(row, i + 1, tokens, set, !pairs.empty(), use, problems);
    }
    if (!pairs.empty()) {
      data->align = PromptsData::Align::Map;
      for (const auto& [a, b] : pairs) {
        if (a < 0 || b < 0 || a >= std::ssize(tokens.tokens) || b >= std::ssize(tokens.corrupted)) {
          problems.error(row.find("map")->span, fmt::format("row {}: the map names positions ({}, {}), but clean has {} tokens and corrupted {}",
                                                            i + 1, a, b, tokens.tokens.size(), tokens.corrupted.size()));
          break;
        }
      }
    }
    data->map.emplace_back(pairs.begin(), pairs.end());
    for (const char* column : {"answer", "foil"}) {
      const bool demanded = std::string_view(column) == "answer" ? demands.answers : demands.foils;
      auto choices = choices_of(row, column, use, demands.single_token, problems);
      if (choices && choices->empty() && demanded) {
        problems.error(row.span, fmt::format("row {}: there is no '{}', which the run's metrics read; add it to every row", i + 1, column));
      }
      if (set.has_column(column)) data->answers[column].push_back(choices.value_or(std::vector<std::vector<Index>>{}));
    }
    if (set.has_column("answer") && set.has_column("foil") && demands.differing_foil && !data->answers["answer"].back().empty() &&
        data->answers["answer"].back() == data->answers["foil"].back()) {
      problems.error(row.find("foil")->span, fmt::format("row {}: answer and foil are the same token; their difference is always 0", i + 1));
    }
    for (const std::string& column : set.columns) {
      if (column == "clean" || column == "corrupted" || column == "answer" || column == "foil" || column == "map") continue;
      const PromptCell* cell = row.find(column);
      data->texts[column].push_back(!cell ? "" : cell->value.is_string() ? cell->value.get<std::string>() : base::plain_json(cell->value));
    }
    data->set_length = std::max({data->set_length, static_cast<Index>(std::ssize(tokens.tokens)), static_cast<Index>(std::ssize(tokens.corrupted))});
    data->rows.push_back(std::move(tokens));
  }
  if (problems.error_count() > errors_before) return nullptr;
  return data;
}

}  // namespace diopter::exec
