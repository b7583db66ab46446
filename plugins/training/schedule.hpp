// How the learning rate moves: linear warm-up, constant, linear decay at the end.
#pragma once

#include <diopter/base.hpp>

namespace training {

struct Schedule {
  diopter::Index steps = 0, warmup = 0;
  double peak = 0;
  double decay = 0;  // the last fraction of the steps
  double floor = 0;  // what is left of `peak` at the last step
  // Of the step that makes step number `step` (from 0) out of `steps`.
  double rate(diopter::Index step) const;
};

}  // namespace training
