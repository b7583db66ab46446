// What a generation may ask for, and how much of it runs at once.
#pragma once

#include <vector>

#include <diopter/edits.hpp>
#include <diopter/generation.hpp>

#include "engine/options.hpp"
#include "engine/runner.hpp"
#include "engine/token_choice.hpp"

namespace diopter::engine {

struct GeneratePlan {
  ChoiceRule rule;
  std::vector<Index> seeds;  // one per sample
  ForwardPath path;          // of prompts and steps
  Index max_prompts = 1;     // of one batch
  Index max_samples = 1;     // of one prompt at once
  Index max_forward = 1;     // rows of one forward over whole prompts
};

// Error for options that contradict each other or have no effect, edits with lists, and keys and values that exceed the
// memory budget.
GeneratePlan generate_plan(Runner& runner, const Prompts& rows, const GenerateOptions& options, const Edits& edits,
                           const TokenCodec* codec, const SessionOptions& session);

// Positions a row's keys and values take: all its tokens but the last, which nothing follows.
Index positions_held(Index prompt, const GenerateOptions& options, const ModelInfo& info);

}  // namespace diopter::engine
