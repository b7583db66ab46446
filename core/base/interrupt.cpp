#include "base/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace diopter::base {
namespace {

std::atomic<int> received{0};

void handle(int signal) {
  int expected = 0;
  if (!received.compare_exchange_strong(expected, signal)) ::_exit(128 + signal);  // the spool holds whole groups only
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return received.load() != 0; }
int interrupt_signal() noexcept { return received.load(); }
void request_interrupt(int signal) noexcept { received.store(signal); }
void clear_interrupt() noexcept { received.store(0); }

}  // namespace diopter::base
