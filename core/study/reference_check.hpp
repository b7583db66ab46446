// "RUN/OUTPUT" of [[expect]] and [[report.figure]], "@RUN/OUTPUT" of prompts: do these runs and outputs exist? Private
// to the room.
#pragma once

#include "study/problems.hpp"
#include "study/study.hpp"

namespace diopter::study {

void check_references(const Study& study, Problems& problems);

}  // namespace diopter::study
