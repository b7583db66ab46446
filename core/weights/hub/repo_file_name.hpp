// Names of files as a hub lists them: text from outside that becomes a path on this machine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diopter::hub {

// UserError(Refused, "hub.file_name") for a name that is no plain relative path: empty, absolute, with "." or ".." or
// an empty component, a backslash, a control character, ill-formed UTF-8, or a component over 255 bytes.
void check_file_name(std::string_view name);

// The part of an address that names the file: everything but unreserved characters and '/' percent-encoded.
std::string url_path(std::string_view name);
// The same with '/' encoded too: a revision is one component.
std::string url_component(std::string_view text);

}  // namespace diopter::hub
