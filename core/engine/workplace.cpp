#include "engine/workplace.hpp"

#include <ATen/ATen.h>

namespace diopter::engine {

std::vector<HookId> edited_points(const Edits& edits, const HookTable& hooks, RunMonitor& monitor) {
  std::vector<HookId> all;
  for (const Edits::Item& item : edits.items()) {
    for (const HookId id : hooks.resolve(item.points)) {
      monitor.check_edits(hooks[id]);
      all.push_back(id);
    }
  }
  return all;
}

Workplace::Workplace(Runner& runner, const RowBatch& batch, const TokenCodec* codec, ForwardPath path, Index max_rows,
                     ReferenceMeans* means)
    : runner_(runner),
      path_(path),
      place_{batch, runner.info(), runner.hooks(), codec, runner.values().device()},
      sources_(
          batch, runner.info(), runner.hooks(),
          [this](const RowBatch& rows, std::span<const HookId> ids) { return runner_.keep(rows, ids, path_); },
          max_rows, means),
      compiler_(place_, sources_, runner.values()) {}

void Workplace::want(const Edits& edits) {
  for (const Edits::Item& item : edits.items()) compiler_.want(item);
}

std::vector<BoundEdit> Workplace::bind(const Edits& edits, const std::string& kind) const {
  std::vector<BoundEdit> bound;
  Index number = 0;
  for (const Edits::Item& item : edits.items()) {
    for (BoundEdit& edit : compiler_.bind(item, ++number, kind)) bound.push_back(std::move(edit));
  }
  return bound;
}

}  // namespace diopter::engine
