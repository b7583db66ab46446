// The one exception for mistakes that a person can mend: what was expected, what was found, what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace diopter::base {

// The exit codes of the whole program (docs/exit_codes.md). A code is never reused for another meaning.
enum class Exit : int {
  Done = 0,
  Failed = 1,   // finished, but an item failed or was left undone
  Usage = 2,    // command line, manifest, plan, selector: nothing was started or changed
  Store = 3,    // cannot open, lock, read or write; damaged; not ours; newer
  NoMatch = 4,  // a selector matched nothing
  Spooled = 5,  // results are safe in the spool but not all are in the store
  Refused = 6,  // a plugin, model or input is missing, incompatible or not the one recorded
  Scheduler = 7,
  Internal = 70,
  StoppedEarly = 75,
  Interrupted = 130,
  Terminated = 143,
};

// Printed as "error: <what>", then "help: <help>" when there is one. `id` is stable, for --json ("plugin.stamp.torch").
class UserError : public std::runtime_error {
 public:
  UserError(Exit exit, const std::string& what, std::string help = {}, std::string id = {})
      : std::runtime_error(what), exit_(exit), help_(std::move(help)), id_(std::move(id)) {}
  ~UserError() override;

  Exit exit() const noexcept { return exit_; }
  const std::string& help() const noexcept { return help_; }
  const std::string& id() const noexcept { return id_; }

 private:
  Exit exit_;
  std::string help_;
  std::string id_;
};

// A broken invariant of diopter itself: exit 70, with the place.
[[noreturn]] void internal_error(const char* file, int line, const std::string& what);

}  // namespace diopter::base

#define DIOPTER_CHECK(condition, what) \
  ((condition) ? void(0) : ::diopter::base::internal_error(__FILE__, __LINE__, what))
