// The page's script and style, compiled in from page/.
#pragma once

#include <string>

namespace diopter::report {

std::string page_script();
std::string page_style();

}  // namespace diopter::report
