// A writer without its thread, and a run that starts: for tests of the way from recorder to reader.
#pragma once

#include <memory>

#include "core/store/scratch.hpp"
#include "exec/recorder.hpp"

namespace diopter::testing {

inline exec::SpoolOptions quiet() {
  exec::SpoolOptions options;
  options.background = false;
  options.on_trouble = [](const std::string&) {};
  return options;
}

inline exec::RunStart start_of(const store::Plan& plan, int item) {
  const store::PlanItem& planned = plan.items.at(static_cast<std::size_t>(item));
  exec::RunStart start{.run_id = base::new_ulid(),
                       .item = item,
                       .entry = planned.entry,
                       .name = planned.name,
                       .kind = planned.kind,
                       .kind_version = planned.kind_version,
                       .model = "organism",
                       .dtype = "float32",
                       .backend = "cpu",
                       .seed = 7};
  start.fingerprint = planned.fingerprint;
  start.config = planned.config;
  start.swept = planned.swept;
  return start;
}

inline exec::RunEnd success() { return {.status = exec::RunStatus::Succeeded, .exit_code = 0, .wall_ms = 12.5}; }

inline exec::TensorRecord vector_of(const std::string& name, const std::string& dtype, std::string_view bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size() / (dtype == "f32" ? 4 : 1));
  return {.name = name, .dtype = dtype, .shape = {size}, .dims = {{{"name", "pos"}}}, .bytes = bytes};
}

}  // namespace diopter::testing
