#include "exec/provenance.hpp"

#include "base/hash.hpp"

namespace diopter::exec {

std::string record_fact(SpoolWriter& writer, const std::string& type, const Fact& fact) {
  writer.fact(type, fact.body);
  return fact.sha256;
}

}  // namespace diopter::exec
