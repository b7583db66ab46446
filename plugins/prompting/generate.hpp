// Kind `generate`: what the model writes on from prompts, plain or under edits, once or several times.
#pragma once

#include <diopter/plugin.hpp>

namespace diopter::prompting {

#define DIOPTER_CELLS(DIMS) DIMS "|coefficient " DIMS "|coefficient coefficient_2 " DIMS

inline constexpr Row kGenerateTable[] = {
    param("max_new_tokens", Int,
          {.fallback = "20", .min = 1, .max = 1e6, .unit = "tokens", .doc = "A text ends after so many new tokens."}),
    param("temperature", Float,
          {.fallback = "0.0", .min = 0, .doc = "0: the likeliest token each time; else logits are divided by it."}),
    param("top_k", Int,
          {.fallback = "0", .min = 0, .unit = "tokens", .doc = "Only the k likeliest tokens are drawn from; 0: all."}),
    param("top_p", Float,
          {.fallback = "1.0",
           .min = 0,
           .max = 1,
           .doc = "Only the likeliest tokens that together have this probability are drawn from."}),
    param("stop", StringList, {.fallback = "[]", .doc = "A text ends before the first of these strings."}),
    param(
        "samples", Int,
        {.fallback = "1", .min = 1, .max = 1e5, .doc = "Texts per prompt, drawn with the run's seed; 1 when greedy."}),
    param("at_end_token", Choice,
          {.fallback = "'stop'",
           .choices = "stop|go_on",
           .doc = "What the model's end-of-text token does: ends the text, or nothing."}),
    table("texts", "row", "edit:text prompt:int sample:int text:text finish:text length:int mean_log_prob:float",
          {.doc = "What was written, and why it ended: length, end_token, stop_string or context."}),
    tensor("tokens", DIOPTER_CELLS("prompt sample new"),
           {.doc = "New token ids with the one that ended the text; -1 after it."}),
    tensor("log_prob", DIOPTER_CELLS("prompt sample new"),
           {.unit = "nat", .doc = "Log-probability of each token by the edited model at temperature 1."}),
    tensor("mean_log_prob", DIOPTER_CELLS("prompt sample"),
           {.unit = "nat", .doc = "Mean of log_prob over the tokens of a text."}),
    tensor("mean_length", "coefficient|coefficient coefficient_2",
           {.unit = "tokens", .doc = "Mean over texts, where the edits have a list.", .optional = true}),
    metric("length", {.unit = "tokens", .doc = "Mean number of new tokens over all texts."}),
    metric("token_log_prob", {.unit = "nat", .better = "higher", .doc = "Mean of log_prob over all new tokens."}),
    figure("texts_table", {.doc = "The texts."}),
    figure("curve", {.doc = "Mean log-probability of the texts over the coefficient of an edit.", .optional = true}),
    needs(Need::Generation, Need::Tokenizer, Need::Edits),
};

#undef DIOPTER_CELLS

class Generate final : public Analysis {
 public:
  explicit Generate(const Params& params);  // Error for parameters that have no effect beside the others
  void run(Context& ctx) override;

 private:
  GenerateOptions options_;
};

}  // namespace diopter::prompting
