// SIGINT and SIGTERM set a flag that long work polls; a second SIGINT ends the process at once.
#pragma once

namespace diopter::base {

void install_interrupt_handlers();
bool interrupted() noexcept;                  // [any]
int interrupt_signal() noexcept;              // SIGINT, SIGTERM, or 0
void request_interrupt(int signal) noexcept;  // what the handler does; tests call it
void clear_interrupt() noexcept;

}  // namespace diopter::base
