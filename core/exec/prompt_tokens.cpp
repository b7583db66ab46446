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
      problems.error(cell.span, fmt::format("the text is {} tokens, but {} takes at most {}", ids.size(),
                                            use.model.name, use.model.n_ctx));
      return std::nullopt;
    }
    for (const Index id : ids) {
      if (id >= use.model.d_vocab) {
        problems.error(cell.span,
                       fmt::format("token {} of the tokenizer is not in the vocabulary of {} ({} tokens); the "
                                   "tokenizer is another model's",
                                   id, use.model.name, use.model.d_vocab));
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
std::optional<std::vector<std::vector<Index>>> choices_of(const PromptRow& row, const char* column,
                                                          const TokenizerUse& use, bool single, Problems& problems) {
  std::vector<std::vector<Index>> out;
  const PromptCell* cell = row.find(column);
  const study::SourceSpan span = cell ? cell->span : row.span;
  for (const std::string& choice : row.choices(column)) {
    std::vector<std::int64_t> ids;
    try {
      ids = use.tokenizer.continuation(choice);
    } catch (const base::UserError& error) {
      problems.error(span, error.what());
      return std::nullopt;
    }
    if (ids.empty()) {
      problems.error(span, fmt::format("the {} is empty; it must be one token", column));
      return std::nullopt;
    }
    if (single && ids.size() != 1) {
      auto& problem = problems.error(span, fmt::format("{} is {} tokens of {} ({}), but {} must be one", shown(choice),
                                                       ids.size(), use.model.name, pieces_of(choice, use.tokenizer),
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
    problems.error(corrupted->span,
                   fmt::format("row {}: clean and corrupted are the same tokens; there is nothing to compare", number));
    return;
  }
  if (tokens.tokens.size() != tokens.corrupted.size() && set.align != study::Align::End && !mapped) {
    auto& problem =
        problems.error(corrupted->span,
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
    throw base::UserError(base::Exit::Usage,
                          "the tokenizer of " + use.model.name + " has no BOS token; write bos = \"never\"");
  }
  if (!ids.empty() && ids.front() == *bos) {
    throw base::UserError(base::Exit::Usage,
                          "the text already starts with BOS (" + shown(use.tokenizer.token_bytes(*bos)) +
                              ") and diopter puts one before it; remove it or write bos = \"never\"");
  }
  ids.insert(ids.begin(), *bos);
  return ids;
}

namespace {

constexpr const char* kRoles[] = {"clean", "corrupted", "answer", "foil", "map"};

// Reads a set row by row into PromptsData.
class SetReader {
 public:
  SetReader(const study::PromptSet& set, const TokenizerUse& use, const RowDemands& demands, Problems& problems)
      : set_(set), use_(use), demands_(demands), problems_(problems) {
    data_->name = set.name;
    data_->codec = use.codec;
    data_->has_pairs = set.has_column("corrupted");
    data_->set_size = std::ssize(set.rows);
    if (set.align == study::Align::End) data_->align = PromptsData::Align::End;
  }

  std::shared_ptr<const PromptsData> read() {
    const std::size_t before = problems_.added();
    for (std::size_t i = 0; i < set_.rows.size(); ++i) read_row(set_.rows[i], i);
    return problems_.added() > before ? nullptr : data_;
  }

 private:
  void read_row(const PromptRow& row, std::size_t i) {
    const PromptCell* clean = row.find("clean");
    if (!clean) {
      problems_.error(row.span, fmt::format("row {}: there is no 'clean' text", i + 1));
      return;
    }
    PromptsData::Row tokens{.tokens = ids_of(*clean, use_, problems_).value_or(std::vector<Index>{}),
                            .corrupted = {},
                            .index = static_cast<Index>(i)};
    if (const PromptCell* corrupted = row.find("corrupted")) {
      tokens.corrupted = ids_of(*corrupted, use_, problems_).value_or(std::vector<Index>{});
      const bool both = !tokens.tokens.empty() && !tokens.corrupted.empty();
      if (both && demands_.pairs) check_pair(row, i + 1, tokens, set_, !row.map().empty(), use_, problems_);
    }
    read_map(row, i, tokens);
    read_choices(row, i);
    read_texts(row);
    data_->set_length = std::max({data_->set_length, std::ssize(tokens.tokens), std::ssize(tokens.corrupted)});
    data_->rows.push_back(std::move(tokens));
  }

  void read_map(const PromptRow& row, std::size_t i, const PromptsData::Row& tokens) {
    const auto pairs = row.map();
    if (!pairs.empty()) data_->align = PromptsData::Align::Map;
    for (const auto& [a, b] : pairs) {
      if (a >= 0 && b >= 0 && a < std::ssize(tokens.tokens) && b < std::ssize(tokens.corrupted)) continue;
      problems_.error(row.find("map")->span,
                      fmt::format("row {}: the map names positions ({}, {}), but clean has {} tokens and corrupted {}",
                                  i + 1, a, b, tokens.tokens.size(), tokens.corrupted.size()));
      break;
    }
    data_->map.emplace_back(pairs.begin(), pairs.end());
  }

  void read_choices(const PromptRow& row, std::size_t i) {
    std::map<std::string, std::vector<std::vector<Index>>> found;
    for (const char* column : {"answer", "foil"}) {
      const bool demanded = std::string_view(column) == "answer" ? demands_.answers : demands_.foils;
      const auto choices = choices_of(row, column, use_, demands_.single_token, problems_);
      if (choices && choices->empty() && demanded) {
        problems_.error(
            row.span,
            fmt::format("row {}: there is no '{}', which the run's metrics read; add it to every row", i + 1, column));
      }
      found[column] = choices.value_or(std::vector<std::vector<Index>>{});
      if (set_.has_column(column)) data_->answers[column].push_back(found[column]);
    }
    if (demands_.foils && !found["answer"].empty() && found["answer"] == found["foil"]) {
      problems_.error(row.find("foil")->span,
                      fmt::format("row {}: answer and foil are the same token; their difference is always 0", i + 1));
    }
  }

  void read_texts(const PromptRow& row) {
    for (const std::string& column : set_.columns) {
      if (std::find(std::begin(kRoles), std::end(kRoles), column) != std::end(kRoles)) continue;
      const PromptCell* cell = row.find(column);
      data_->texts[column].push_back(!cell                     ? ""
                                     : cell->value.is_string() ? cell->value.get<std::string>()
                                                               : base::plain_json(cell->value));
    }
  }

  const study::PromptSet& set_;
  const TokenizerUse& use_;
  const RowDemands& demands_;
  Problems& problems_;
  std::shared_ptr<PromptsData> data_ = std::make_shared<PromptsData>();
};

}  // namespace

std::shared_ptr<const PromptsData> tokenize(const study::PromptSet& set, const TokenizerUse& use,
                                            const RowDemands& demands, Problems& problems) {
  return SetReader(set, use, demands, problems).read();
}

}  // namespace diopter::exec
