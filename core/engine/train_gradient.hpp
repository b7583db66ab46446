// The gradient of a step from its micro-batches, on all threads, with the same bits for every number of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "engine/thread_team.hpp"

namespace diopter::engine {

// Adds the gradient of share * (loss(0) + ... + loss(count - 1)) to `parameters` (leaves; grad() is made when missing)
// and returns the sum of the losses. Each loss is computed by one thread, operators inside it serially, and the sums
// are formed in the order of the indices: threads change nothing but the time. At most one set of gradients per thread
// is held. An exception of a loss comes back after all threads have ended; the gradients are then incomplete.
double accumulate_gradients(ThreadTeam& team, const std::vector<at::Tensor>& parameters, std::size_t count,
                            double share, const std::function<at::Tensor(std::size_t)>& loss);

}  // namespace diopter::engine
