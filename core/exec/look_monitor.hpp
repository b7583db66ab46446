// The monitor of a look from the command line: no kind whose table could limit it, nothing recorded.
#pragma once

#include <diopter_host/backends.hpp>

namespace diopter::exec {

class LookMonitor final : public RunMonitor {
 public:
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override;
  bool stop_requested() const noexcept override;
  void warn(Text guard, Text sentence) override;  // a look that is doubtful is refused
  void event(Text, Text) override {}
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text stream) override;  // Error: a look is seeded by its caller
};

}  // namespace diopter::exec
