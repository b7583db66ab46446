// Text that a model writes on from prompts. needs(Generation)
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

// Why a text ended: max_new_tokens; a token that ends texts (EOS); a stop string; the model reads no further (n_ctx).
enum class Finish { Length, EndToken, StopString, Context };
enum class AtEndToken { Stop, GoOn };

struct NewToken {
  Index prompt, sample, token;
  double log_prob;  // kNone unless options.log_probs
  // What this token made certain: whole characters, nothing that may yet be cut by a stop string. The pieces of a text
  // put together are its Generation::text.
  Text text;
  std::optional<Finish> finish = {};  // with a text's last token
};

// Temperature 0: the likeliest token, of equal ones the first. Else logits are divided by the temperature, then top_k
// keeps the k largest and all that equal the k-th (0: all), then top_p keeps the likeliest tokens up to and including
// the one that brings their sum to top_p (of equal ones at the border the higher ids stay). In this order, as
// transformers' TemperatureLogitsWarper, TopKLogitsWarper and TopPLogitsWarper.
struct GenerateOptions {
  Index max_new_tokens = 20, top_k = 0;
  double temperature = 0, top_p = 1;
  // A text ends before the first of these that it holds (the one that ends first, of those the longest). They may begin
  // and end inside tokens; the prompt's text does not count.
  std::vector<std::string> stop = {};
  // One sample each; empty: one, seeded by the run. A sample depends on its prompt's tokens and its seed alone, not on
  // what else is generated.
  std::vector<Index> seeds = {};
  bool log_probs = false;
  AtEndToken at_end_token = AtEndToken::Stop;
  std::function<void(const NewToken&)> on_token = {};  // [main] between forwards; may not ask for one
};

// Error for options out of range, or that have no effect beside the others; generate() calls it, an analysis may, where
// its parameters are checked before a weight is read.
DIOPTER_API void check(const GenerateOptions& options);

// Row-major: entry prompt * samples + sample. Rows that ended earlier are padded.
struct Generation {
  std::vector<std::string> text;  // without the token or the stop string that ended it; well-formed UTF-8
  std::vector<Finish> finish;
  Tensor
      tokens;  // int64 [prompt, sample, new], -1 pads; the token that ended the text, or completed the stop string, too
  Tensor lengths;  // int64 [prompt, sample] of tokens
  Tensor
      log_probs;  // double [prompt, sample, new], NaN pads: ln p of the model at temperature 1; undefined if not asked
};

}  // namespace abi1
}  // namespace diopter
