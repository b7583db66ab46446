// The neurons that are patched exactly: the best by score, and a control group drawn from the others.
#pragma once

#include <ATen/core/Generator.h>
#include <diopter/base.hpp>

#include <vector>

namespace diopter::patching {

struct Candidate {
  Index layer, neuron;
  double attribution;
  bool control;
};

enum class Score { Direct, Random };

struct Choosing {
  Index top, control;  // at most as many as there are (control: as are left)
  Score score;
};

// attribution: double [layer, neuron] of `layers`. Direct: by size, largest first, equal ones in their own order. The
// control group follows. `rng`: of all that is left to chance.
std::vector<Candidate> choose(const Tensor& attribution, const std::vector<Index>& layers, const Choosing& how,
                              at::Generator rng);

// How the attributions of the candidates relate to exact changes, double [candidate]. NaN where a group is too small.
struct Agreement {
  double correlation, rank_correlation;                  // over the selected
  double control_correlation, control_rank_correlation;  // over the control group
  double selected_change, control_change;                // mean absolute exact change
  double control_above;  // share of the control group whose change is at least the median selected one's
  Index selected, controls;
};
Agreement agreement(const std::vector<Candidate>& candidates, const Tensor& change);

}  // namespace diopter::patching
