// Writes on from one text, outside of a study.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <diopter/generation.hpp>

namespace diopter::exec {

struct GenerateRequest {
  std::string model, text, bos = "family", dtype = "float32";
  std::int64_t seed = 0, samples = 1, threads = 0;  // threads 0: as many as there are cores
  GenerateOptions options = {};                     // its seeds are made of `seed` and `samples`
};

struct GeneratedText {
  std::int64_t seed = 0;
  std::string text, finish;  // length, end_token, stop_string, context, or interrupted
  std::vector<std::int64_t> tokens;
  std::vector<double> log_probs;  // when asked for
};

struct GenerateReport {
  std::string model;
  std::vector<std::int64_t> ids;  // of the prompt
  std::vector<GeneratedText> texts;
  std::int64_t tokens = 0;  // new ones
  double seconds = 0;       // from the prompt's forward on
  bool interrupted = false;
  std::string precision;  // what a low dtype costs here; empty in float32
};

// Calls options.on_token as tokens come. After an interrupt it returns what there is. Error or UserError for a model,
// text or option that is not there or has no meaning; options are checked before weights are read.
GenerateReport generate(const GenerateRequest& request);

}  // namespace diopter::exec
