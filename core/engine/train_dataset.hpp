// A data set that a run made, as a folder:
//   documents.safetensors  "ids" I32, "offsets" I64 [rows + 1]: row r is ids[offsets[r] .. offsets[r + 1]);
//   "corrupted.ids" and
//                          "corrupted.offsets" where rows have a pair; "values" F32 or F64 [row, pos, d_in] instead of
//                          ids for continuous inputs; a column of numbers "column.NAME" [row, ...], or "by_id.NAME"
//                          Bool, one for each id, for yes-or-no columns [row, pos] such as "counted"
//   dataset.json           format, number of rows, text columns, answers, alignment
//   tokenizer.json         if it has one
#pragma once

#include <diopter/prompts.hpp>

namespace diopter::engine {

// `folder` is made; files in it are each whole or not there. `tokenizer`: a tokenizer.json or empty. UserError when one
// cannot be written.
void save_dataset(const Prompts& rows, const Path& tokenizer, const Path& folder);

// With its tokenizer's codec and file. UserError(Refused) naming file and defect when the folder is not what
// save_dataset writes.
Prompts load_dataset(const Path& folder);

}  // namespace diopter::engine
