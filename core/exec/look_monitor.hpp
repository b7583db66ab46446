// The monitor of a look from the command line: no kind whose table could limit it, nothing recorded.
#pragma once

#include <diopter/error.hpp>
#include <diopter_host/backends.hpp>

#include "base/interrupt.hpp"

namespace diopter::exec {

class LookMonitor final : public RunMonitor {
 public:
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {
    if (stop_requested()) throw Stopped("stopped by an interrupt");
  }
  bool stop_requested() const noexcept override { return base::interrupted(); }
  void warn(Text, Text sentence) override { throw Error(std::string(sentence)); }  // a look that is doubtful is refused
  void event(Text, Text) override {}
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text) override { throw Error("a look draws no random numbers"); }
};

}  // namespace diopter::exec
