#include "base/error.hpp"

#include <cstring>

namespace diopter::base {

UserError::~UserError() = default;

void internal_error(const char* file, int line, const std::string& what) {
  const char* slash = std::strrchr(file, '/');
  throw std::logic_error("internal error: " + what + " (" + (slash ? slash + 1 : file) + ":" + std::to_string(line) +
                         "); please report it");
}

}  // namespace diopter::base
