// Is this model, as diopter computes it, the model that others compute?
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exec/model_source.hpp"
#include "exec/verify/reference.hpp"

namespace diopter::exec {

struct VerifyRequest {
  ModelFolder model;
  std::filesystem::path against;  // a stored reference; empty: transformers, else the one in the model's folder
  std::filesystem::path save;     // where the reference is written; empty: nowhere
  std::vector<std::string> pythons;
  std::int64_t seconds = 900;  // for transformers
};

struct TextMismatch {
  std::string text;
  std::vector<std::int64_t> ours, theirs;
};

struct Verification {
  std::string model, family, against;  // "transformers 5.23.0, torch 2.13.0, on this machine"
  std::int64_t prompts = 0, positions = 0;
  double largest_logit = 0;
  double logits = 0, log_probs = 0;  // largest differences
  double gate = 0;                   // of log_probs; see gate_of
  std::int64_t same_top = 0;         // positions with the same likeliest token, or one within the gate of it
  std::vector<double> stream;        // [layer] largest difference of resid_pre; empty against a stored reference
  std::vector<double> stream_scale;  // [layer] its largest value
  std::int64_t texts = 0;            // tokenised by both; 0: no tokenizer, or a stored reference
  std::vector<TextMismatch> mismatches;
  bool equal() const { return log_probs <= gate && mismatches.empty(); }
};

// Float32 rounding of two right implementations: 5e-6 x max |logit|, at least 1e-5, at most 1e-4
// (docs/parity.md has what is measured).
double gate_of(double largest_logit);

// Token ids that need no tokenizer: the same for every model of a vocabulary and context; one row is a single token,
// one longer than the narrowest window where that fits.
std::vector<std::vector<std::int64_t>> verification_ids(const ModelInfo& info);

// In float32. UserError(Refused) when there is neither transformers nor a stored reference, or a reference of another
// vocabulary.
Verification verify_model(const VerifyRequest& request);

}  // namespace diopter::exec
