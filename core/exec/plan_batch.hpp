// The plan of one invocation: every hash and fingerprint, what earlier runs answer, frozen to plan.jsonl.
#pragma once

#include "exec/check_study.hpp"
#include "exec/hash_cache.hpp"
#include "store/plan_file.hpp"
#include "store/reader.hpp"
#include "study/plan.hpp"

namespace diopter::exec {

struct PlanRequest {
  std::filesystem::path store, batch_spool;
  std::vector<std::string> argv, overrides;
  bool force = false;
};

store::Plan plan_batch(const CheckedStudy& study, HashCache& hashes, const store::Reader& reader,
                       const PlanRequest& request);

// The folder that holds `output` of the run that answers `fingerprint`: in the store when an earlier batch made it.
std::filesystem::path stored_output(const store::Reader& reader, const std::string& run_id, const std::string& output);

}  // namespace diopter::exec
