#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

const char* version() noexcept { return DIOPTER_VERSION; }

}  // namespace abi1
}  // namespace diopter
