// What makes two runs the same: SHA-256 of "diopter.fingerprint/1\n" and canonical JSON (docs/fingerprints.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::study {

// Names, tags, notes, paths, jobs, host, git commit and library versions are deliberately not here.
struct FingerprintParts {
  std::string kind;
  std::uint32_t kind_version = 0;
  base::Json params = base::Json::object();   // all but cosmetic ones, defaults filled in, coerced to their types
  std::map<std::string, std::string> inputs;  // role -> SHA-256
  base::Json model;                           // {"bos","compute","dtype","transforms"}; null for a run without a model
  std::vector<std::string> needs;             // fingerprints; sorted here
  std::int64_t seed = 0;
  std::string backend = "cpu";  // cpu | cuda
};

std::string fingerprint_bytes(const FingerprintParts& parts);  // what is hashed
std::string fingerprint(const FingerprintParts& parts);        // 64 hex digits

}  // namespace diopter::study
