// The monitor of a benchmark's session: shows nothing, and refuses to go on after a warning.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <string>

#include <diopter/error.hpp>
#include <diopter_host/backends.hpp>

namespace diopter::benchmarks {

class SilentMonitor final : public RunMonitor {
 public:
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {}
  bool stop_requested() const noexcept override { return false; }
  void warn(Text, Text sentence) override { throw Error(std::string(sentence)); }
  void event(Text, Text) override {}
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text) override { return at::detail::createCPUGenerator(1); }
};

}  // namespace diopter::benchmarks
