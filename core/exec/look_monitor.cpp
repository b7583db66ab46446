#include "exec/look_monitor.hpp"

#include <ATen/ATen.h>

#include <diopter/error.hpp>

#include "base/interrupt.hpp"

namespace diopter::exec {

void LookMonitor::check_stop() {
  if (stop_requested()) throw Stopped("stopped by an interrupt");
}

bool LookMonitor::stop_requested() const noexcept { return base::interrupted(); }

void LookMonitor::warn(Text, Text sentence) { throw Error(std::string(sentence)); }

at::Generator LookMonitor::rng(Text) { throw Error("a look draws no random numbers of its own"); }

}  // namespace diopter::exec
