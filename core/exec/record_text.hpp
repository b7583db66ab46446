// Checks and words of records that several files need.
#pragma once

#include <string>
#include <string_view>

namespace diopter::exec {

// UserError(Failed) unless `name` is valid UTF-8 without NUL and not empty. `what` is "metric", "tensor", ...
void require_name(std::string_view what, std::string_view name);

// A file name of the spool made from a name: letters, digits, "._-" stay, everything else becomes '_'; at most 80
// bytes.
std::string file_name_of(std::string_view name);

}  // namespace diopter::exec
