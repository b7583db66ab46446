// One batch of prompts, written on sample by sample.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/generate_edits.hpp"
#include "engine/generate_plan.hpp"
#include "engine/text_stream.hpp"
#include "model/kv_cache.hpp"

namespace diopter::engine {

struct GeneratedRow {
  std::vector<Index> tokens;
  std::vector<double> log_probs;  // empty when not asked for
  std::string text;
  Finish finish = Finish::Length;
};

// What all batches of a call share.
struct GenerateCall {
  Runner& runner;
  const GenerateOptions& options;
  const Edits& edits;
  const TokenCodec* codec;  // null: texts are empty
  const SessionOptions& session;
  const GeneratePlan& plan;
  EditTally tally = {};
  Index done = 0, total = 0;  // tokens, for progress
};

class GenerateBatch {
 public:
  // `seeds`: of these samples, the first of which is `first_sample` of the call. `out`: [prompt of the call * samples
  // of the call + sample]. Refers to all it is given.
  GenerateBatch(GenerateCall& call, const RowBatch& prompts, std::span<const Index> seeds, Index first_sample,
                std::vector<GeneratedRow>& out);
  void run();

 private:
  struct Live {      // a text that goes on
    Index prompt;    // row of the batch
    Index sample;    // of the call
    Index position;  // absolute, of the newest token
    SampleRng rng;
    TextStream text;
    GeneratedRow* out;
  };
  at::Tensor run_prompts();  // -> logits after each text so far [row, d_vocab]
  at::Tensor run_step();
  void add_rows();
  bool accept(Live& row, Index token, const double* log_prob);  // false: the text ended
  void choose(const at::Tensor& logits);                        // one more token for each; texts that ended leave
  void leave(std::size_t row);

  GenerateCall& call_;
  const RowBatch& prompts_;
  std::span<const Index> seeds_;
  Index first_sample_;
  std::vector<GeneratedRow>& out_;
  Workplace work_;
  GenerateEdits edits_;
  model::KvCache cache_;
  std::vector<Live> live_;
};

}  // namespace diopter::engine
