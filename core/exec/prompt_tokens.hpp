// Prompt sets -> token ids, with the checks that need a tokenizer: single-token answers, lengths, exactly one BOS.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <diopter/model_info.hpp>
#include <diopter/prompts.hpp>
#include <diopter_host/specs.hpp>

#include "study/problems.hpp"
#include "study/prompts.hpp"
#include "text/tokenizer.hpp"

namespace diopter::exec {

// What a prompt set is tokenized for.
struct TokenizerUse {
  const text::Tokenizer& tokenizer;
  std::shared_ptr<const TokenCodec> codec;
  const ModelInfo& model;
  std::string bos = "family";  // family | always | never
};

// What a run asks of the set's rows.
struct RowDemands {
  bool pairs = false;        // clean and corrupted, of equal length unless aligned
  bool answers = false;      // every row has an answer
  bool foils = false;        // every row has a foil, and it is not the answer
  bool single_token = true;  // answers and foils are one token each
};

// Problems are added at the rows' places; nullptr when there were any.
std::shared_ptr<const PromptsData> tokenize(const study::PromptSet& set, const TokenizerUse& use,
                                            const RowDemands& demands, study::Problems& problems);

// Text as a run sees it: with BOS by the policy. UserError for text that is not UTF-8 or already starts with BOS.
std::vector<Index> prompt_ids(std::string_view text, const TokenizerUse& use);

}  // namespace diopter::exec
