// Checked parameters of a study as the SDK's Params.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "host/loaded_plugin.hpp"
#include "study/param_value.hpp"

namespace diopter::host {

// Tensors of INPUT parameters by name; empty when the analysis is created without its inputs (preflight): they are then
// undefined.
using InputTensors = std::map<std::string, at::Tensor, std::less<>>;

std::shared_ptr<const ParamsData> run_params(const LoadedKind& kind, const std::vector<study::CheckedParam>& params,
                                             const InputTensors& inputs = {});

Positions to_sdk(const study::Positions& positions);

}  // namespace diopter::host
