#include "host/monitor.hpp"

#include "base/hints.hpp"

namespace diopter::host {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

}  // namespace

Monitor::Monitor(const LoadedKind& kind, KindHooks hooks, MonitorOptions options, RecordSink& sink)
    : kind_(kind), hooks_(std::move(hooks)), options_(std::move(options)), sink_(sink), streams_(options_.seed) {}

void Monitor::progress(Text what, Index done, Index total, Text extra) {
  const std::lock_guard lock(progress_mutex_);
  const auto now = std::chrono::steady_clock::now();
  const bool notable = done >= total || what != progress_what_;
  if (!notable && now < next_progress_) return;
  next_progress_ = now + kProgressInterval;
  progress_what_ = what;
  sink_.progress(std::string(what), done, total, std::string(extra));
}

bool Monitor::stop_requested() const noexcept { return options_.stop && options_.stop(); }

void Monitor::check_stop() {
  if (stop_requested()) throw Stopped("stopped by the user");
}

void Monitor::warn(Text guard, Text sentence) {
  check_thread("Log::warn");
  if (options_.strict) refuse("warning", std::string(sentence) + " (a warning, made an error by strict)");
  if (!warned_.emplace(guard, sentence).second) return;
  sink_.event(RecordSink::Level::Warning, "guard." + std::string(guard), std::string(sentence));
}

void Monitor::event(Text kind, Text sentence) {
  sink_.event(RecordSink::Level::Info, std::string(kind), std::string(sentence));
}

void Monitor::check_observes(const HookPoint& point) {
  if (hooks_.observed.count(point.name) > 0) return;
  refuse("undeclared_hook", "kind " + base::quoted(kind_.name()) + " captured " + base::quoted(point.name) +
                                ", which no row of its table covers; add observe(\"" + without_numbers(point.name) +
                                "\", ...).");
}

void Monitor::check_edits(const HookPoint& point) {
  // The user's own [[run.edit]] blocks need no rows.
  if (hooks_.edited.count(point.name) > 0 || kind_.needs(DIOPTER_NEEDS_EDITS)) return;
  refuse("undeclared_hook", "kind " + base::quoted(kind_.name()) + " edited " + base::quoted(point.name) +
                                ", which no row of its table covers; add edits(\"" + without_numbers(point.name) +
                                "\", ...).");
}

at::Generator Monitor::rng(Text stream) {
  check_thread("Context::rng");
  return streams_.get(stream);
}

void Monitor::check_thread(const char* function) const {
  if (std::this_thread::get_id() == main_) return;
  throw Error(std::string(function) +
              " was called from another thread than the one that called run(); only progress() and "
              "stop_requested() may be");
}

void Monitor::refuse(const char* code, const std::string& sentence) {
  refused_code_ = code;
  refused_sentence_ = sentence;
  throw Error(sentence);
}

std::optional<std::string> Monitor::code_of(const std::string& sentence) const {
  // A status holds 2 KiB of it.
  if (refused_sentence_.empty() || !refused_sentence_.starts_with(sentence)) return std::nullopt;
  return refused_code_;
}

}  // namespace diopter::host
