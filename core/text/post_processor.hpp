// What the file would do to the ids of a text after encoding: special tokens around it, offsets without white space.
#pragma once

#include <cstdint>
#include <vector>

#include "text/json_field.hpp"

namespace diopter::text {

struct PostProcessor {
  // Ids that add_special_tokens=True puts around one text: a Llama tokenizer's BOS is in `before`, GPT-2's has none.
  std::vector<std::int64_t> before, after;
  bool trim_offsets = false;
  bool first_keeps_space = false;  // the key add_prefix_space of a trimming post-processor
};

// Reads `post_processor`: null, ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing, or a Sequence of
// them. Others, and a Sequence in which two would add tokens or two would trim, are a UserError(Refused).
PostProcessor read_post_processor(const Field& root);

}  // namespace diopter::text
