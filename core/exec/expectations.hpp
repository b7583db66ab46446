// [[expect]] against what is in the store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/reader.hpp"
#include "study/study.hpp"

namespace diopter::exec {

// `run_of`: the run that answers an entry of the study; empty: none.
std::vector<study::Outcome> check_expectations(const study::Study& study, const store::Reader& reader,
                                               const std::function<std::string(const std::string& entry)>& run_of);

// One number of a run: the last step of a metric, or the cell of a tensor that the selectors leave; nothing when they
// leave none or several.
std::optional<double> one_value(const store::Reader& reader, const std::string& run_id, const study::OutputRef& ref);

}  // namespace diopter::exec
