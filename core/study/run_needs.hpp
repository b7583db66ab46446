// What kinds and metrics need of prompts, as far as the rows themselves tell. Private to the room.
#pragma once

#include "study/problems.hpp"
#include "study/study.hpp"

namespace diopter::study {

void check_prompt_needs(const Run& run, Problems& problems);

}  // namespace diopter::study
