#include "study/fingerprint.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace diopter::study {

std::string fingerprint_bytes(const FingerprintParts& parts) {
  std::vector<std::string> needs = parts.needs;
  std::sort(needs.begin(), needs.end());
  const base::Json document = {{"kind", parts.kind},     {"kind_version", parts.kind_version},
                               {"params", parts.params}, {"inputs", parts.inputs},
                               {"model", parts.model},   {"needs", needs},
                               {"seed", parts.seed},     {"backend", parts.backend}};
  return "diopter.fingerprint/1\n" + base::canonical_json(document);
}

std::string fingerprint(const FingerprintParts& parts) { return base::sha256(fingerprint_bytes(parts)); }

}  // namespace diopter::study
