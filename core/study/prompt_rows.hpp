// What the columns of prompt rows must be. Private to the room.
#pragma once

#include "study/node.hpp"
#include "study/problems.hpp"
#include "study/prompts.hpp"

namespace diopter::study {

// The cells of one inline [[prompts.NAME.rows]] table.
PromptRow row_of(const Node& table);

// Renames `text` to `clean`, checks every role's type and that a role is in all rows or none, fills `columns`. False:
// problems.
bool check_rows(PromptSet& set, Problems& problems);

}  // namespace diopter::study
