// [[run.edit]]: what is done to the model while it runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "study/param_value.hpp"
#include "study/validator.hpp"

namespace diopter::study {

enum class EditOp { Replace, Add, Scale, Zero, Mean, Freeze };

struct Edit {
  EditOp op = EditOp::Zero;
  HookGlobs hook;
  // replace: Clean, Corrupted, a number or a file. add: a number or a file. mean: over the clean or corrupted prompts
  // (Clean when not given).
  enum class Value { None, Clean, Corrupted, Number, File };
  Value value = Value::None;
  double number = 0;
  InputFile file;
  std::vector<double> coefficients = {1.0};            // add, scale; more than one sweeps
  bool sweeps = false;                                 // the coefficient was written as a list
  Positions positions;                                 // default: all
  Positions sources;                                   // patterns and scores only; default: all
  std::vector<std::int64_t> heads, kv_heads, neurons;  // empty: all
  SourceSpan span;                                     // the [[run.edit]] header
  std::map<std::string, SourceSpan> spans;             // of the values given
};

// Nothing: problems were added.
std::optional<Edit> read_edit(const Node& table, const ParamSurroundings& around, Problems& problems);
base::Json to_json(const Edit& edit);  // canonical, defaults filled in; files as written

}  // namespace diopter::study
