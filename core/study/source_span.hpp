// Where something stands: in the manifest, in a prompt file, or in an override of the command line.
#pragma once

#include <string>

namespace diopter::study {

// Lines and columns count from 1, columns and length in code points. line 0: the file as a whole.
struct SourceSpan {
  std::string file;  // as shown in messages: "my.toml", "prompts/ioi.jsonl", "override 1"; "" is nowhere
  int line = 0;
  int column = 0;
  int length = 0;
  int override_number = 0;  // > 0: the text of `diopter run m.toml KEY=VALUE`, counted from 1

  bool operator==(const SourceSpan&) const = default;
};

}  // namespace diopter::study
