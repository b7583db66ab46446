// Logits that another program computed for a model: by transformers now, or stored by an earlier verification.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace diopter::exec {

struct ReferenceRow {
  std::vector<std::int64_t> ids;
  at::Tensor logits;     // float32 [pos, d_vocab]
  at::Tensor resid_pre;  // float32 [layer, pos, d_model]; undefined when it was not stored
};

struct Reference {
  std::string made_by;  // "transformers 5.23.0, torch 2.13.0"
  std::vector<ReferenceRow> rows;
  std::vector<std::string> texts;
  std::vector<std::vector<std::int64_t>> text_ids;  // of texts, nothing put around them; empty: no tokenizer there
};

struct ReferenceRequest {
  std::filesystem::path folder;
  std::vector<std::vector<std::int64_t>> ids;
  std::vector<std::string> texts;
  std::vector<std::string> pythons;  // tried in order until one has transformers
  std::chrono::seconds limit{900};
};

// None of the pythons has transformers; what() says what each answered.
struct NoTransformers : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// NoTransformers; UserError(Failed) with transformers' own words when it cannot run the model, or does not end in time.
Reference ask_transformers(const ReferenceRequest& request);

// ids, logits and who made them, as one safetensors file. UserError(Store) when it cannot be written.
void write_reference(const Reference& reference, const std::filesystem::path& file);
// UserError(Refused) for a file that write_reference did not write.
Reference read_reference(const std::filesystem::path& file);

}  // namespace diopter::exec
