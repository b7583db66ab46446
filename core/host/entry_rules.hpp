// The rules of one kind's descriptor; the SDK's compile-time checks again, for descriptors made otherwise.
#pragma once

#include "diopter/abi.h"
#include "host/plugin_error.hpp"

namespace diopter::host {

// `kind` has passed check_kind_pointers. PluginError(Entry) with the file and kind of `about`.
void check_kind_rules(const diopter_kind& kind, const About& about);
// No NULL where a string, array or function is required, and no element smaller than this host knows it.
void check_kind_pointers(const diopter_kind& kind, const About& about);

[[noreturn]] void refuse_entry(const char* code, const std::string& rest, const About& about);

}  // namespace diopter::host
