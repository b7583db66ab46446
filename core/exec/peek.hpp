// One forward of one text: next tokens and captured activations.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace diopter::exec {

struct PeekRequest {
  std::string model, text, bos = "family", dtype = "float32";
  std::vector<std::string> hooks;      // names or globs
  std::int64_t top = 10, threads = 0;  // 0: as many as there are cores
};
struct NextToken {
  std::int64_t id = 0;
  std::string token;  // exact bytes
  double prob = 0, logit = 0;
};
struct Peek {
  std::string model;
  std::vector<std::int64_t> ids;
  std::vector<NextToken> top;                              // after the last token, likeliest first
  std::vector<std::pair<std::string, at::Tensor>> values;  // by hook name, forward order
  std::string precision;                                   // what a low dtype costs here; empty in float32
};

// Error or UserError for a model, text or hook that is not there; hooks are checked before weights are read.
Peek peek(const PeekRequest& request);

}  // namespace diopter::exec
