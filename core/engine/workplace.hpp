// Edits of the user, bound to one batch: their sources are run once, then any number of buses can carry them.
#pragma once

#include <string>
#include <vector>

#include <diopter/edits.hpp>

#include "engine/edit_compiler.hpp"
#include "engine/runner.hpp"

namespace diopter::engine {

// Every point the edits touch, checked against the kind's table. Error for an unknown glob.
std::vector<HookId> edited_points(const Edits& edits, const HookTable& hooks, RunMonitor& monitor);

// One batch, the runs its edits take values from, and the compiler that binds them.
class Workplace {
 public:
  // `path`: of all runs of this batch. `means` (may be null): shared with other batches of the call, which take the
  // same path.
  Workplace(Runner& runner, const RowBatch& batch, const TokenCodec* codec, ForwardPath path, Index max_rows,
            ReferenceMeans* means = nullptr);
  Workplace(const Workplace&) = delete;  // its parts refer to each other
  Workplace& operator=(const Workplace&) = delete;

  const RowBatch& batch() const noexcept { return place_.batch; }
  const Place& place() const noexcept { return place_; }
  const ForwardPath& path() const noexcept { return path_; }
  SourceRuns& sources() noexcept { return sources_; }
  EditCompiler& compiler() noexcept { return compiler_; }
  Runner& runner() noexcept { return runner_; }

  void want(const Edits& edits);
  // After sources().make().
  std::vector<BoundEdit> bind(const Edits& edits, const std::string& kind) const;

 private:
  Runner& runner_;
  ForwardPath path_;
  Place place_;
  SourceRuns sources_;
  EditCompiler compiler_;
};

}  // namespace diopter::engine
