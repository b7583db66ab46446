// What stands between the engine and the outside of a run: stop requests, progress, warnings, limits of the kind's
// table. Made before the engine's session, which reports to it; lives as long as the run. The thread that makes it is
// [main].
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <diopter_host/backends.hpp>

#include "host/loaded_plugin.hpp"
#include "host/record_sink.hpp"
#include "host/resolve_hooks.hpp"
#include "host/rng.hpp"

namespace diopter::host {

struct MonitorOptions {
  std::int64_t seed = 0;
  bool strict = false;              // warnings are errors
  std::function<bool()> stop = {};  // [any] noexcept; base::interrupted
};

class Monitor final : public RunMonitor {
 public:
  Monitor(const LoadedKind& kind, KindHooks hooks, MonitorOptions options, RecordSink& sink);

  void progress(Text what, Index done, Index total, Text extra) override;
  void check_stop() override;
  bool stop_requested() const noexcept override;
  void warn(Text guard, Text sentence) override;  // a sentence is recorded once, however often it is said
  void event(Text kind, Text sentence) override;
  void check_observes(const HookPoint& point) override;
  void check_edits(const HookPoint& point) override;
  at::Generator rng(Text stream) override;

  void check_thread(const char* function) const;  // Error unless called on [main]
  // Throws Error with `sentence`, remembering its code: the plugin's C function hands back text only.
  [[noreturn]] void refuse(const char* code, const std::string& sentence);
  std::optional<std::string> code_of(const std::string& sentence) const;  // of a sentence that refuse() threw

  const LoadedKind& kind() const { return kind_; }
  std::int64_t seed() const { return options_.seed; }

 private:
  LoadedKind kind_;
  KindHooks hooks_;
  MonitorOptions options_;
  RecordSink& sink_;
  std::thread::id main_ = std::this_thread::get_id();
  Streams streams_;
  std::string refused_code_, refused_sentence_;
  std::mutex progress_mutex_;
  std::chrono::steady_clock::time_point next_progress_{};
  std::string progress_what_;
  std::set<std::pair<std::string, std::string>> warned_;
};

}  // namespace diopter::host
