// Destructors out of line: each class that crosses the boundary has its one vtable and typeinfo here, so that a catch
// or a dynamic_cast in a plugin and in the host mean the same class.
#include <diopter_host/backends.hpp>

namespace diopter {
inline namespace abi1 {

Error::~Error() = default;
Stopped::~Stopped() = default;
Analysis::~Analysis() = default;

TokenCodec::~TokenCodec() = default;
std::vector<Index> TokenCodec::continuation(Text text) const { return encode(text); }
ModelBackend::~ModelBackend() = default;
StreamBackend::~StreamBackend() = default;
TrainableBackend::~TrainableBackend() = default;
EngineBackend::~EngineBackend() = default;
RunMonitor::~RunMonitor() = default;
LogBackend::~LogBackend() = default;
ContextBackend::~ContextBackend() = default;

}  // namespace abi1
}  // namespace diopter
