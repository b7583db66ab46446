#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/hash.hpp"
#include "exec/provenance.hpp"
#include "store/liveness.hpp"
#include "store/optional_json.hpp"

extern char** environ;

namespace diopter::exec {
namespace {

std::string after_colon(const std::string& line) {
  const std::size_t at = line.find(':');
  const std::size_t start = at == std::string::npos ? at : line.find_first_not_of(" \t", at + 1);
  return start == std::string::npos ? std::string() : line.substr(start);
}

// The flags that change which kernels run, of the hundred that /proc/cpuinfo lists.
Json simd_flags(const std::string& line) {
  Json out = Json::array();
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const bool matters =
        word.starts_with("avx") || word.starts_with("amx") || word == "fma" || word == "f16c" || word == "sse4_2";
    if (matters) out.push_back(word);
  }
  return out;
}

Json cpu() {
  Json out = {{"model", nullptr}, {"flags", Json::array()}, {"cores", ::sysconf(_SC_NPROCESSORS_ONLN)}};
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name") && out["model"].is_null()) out["model"] = after_colon(line);
    if (line.starts_with("flags")) {
      out["flags"] = simd_flags(after_colon(line));
      break;
    }
  }
  return out;
}

Json os() {
  Json out = {{"name", nullptr}, {"kernel", nullptr}, {"machine", nullptr}};
  std::ifstream in("/etc/os-release");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    std::string name = line.substr(12);
    if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    out["name"] = name;
  }
  utsname names{};
  if (::uname(&names) == 0) {
    out["kernel"] = std::string(names.sysname) + ' ' + names.release;
    out["machine"] = names.machine;
  }
  return out;
}

bool allowed(std::string_view name) {
  return name == "CUDA_VISIBLE_DEVICES" || name == "SLURM_JOB_PARTITION" || name.starts_with("OMP_") ||
         name.starts_with("MKL_") || name.starts_with("DIOPTER_");
}

Json variables() {
  Json out = Json::object();
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos && allowed(entry.substr(0, equals))) {
      out[std::string(entry.substr(0, equals))] = std::string(entry.substr(equals + 1));
    }
  }
  return out;
}

Json user_name() {
  passwd entry{}, *found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return std::string(found->pw_name);
}

Json locale_name() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string(value);
  }
  return {};
}

}  // namespace

Fact environment_fact(const LibraryVersions& versions) {
  const std::int64_t ram = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  const Json doc = {{"host", {{"name", store::this_process().host}, {"user", user_name()}}},
                    {"program", {{"version", versions.program}, {"build_id", versions.build_id}}},
                    {"libtorch", store::or_null(versions.libtorch)},
                    {"blas", store::or_null(versions.blas)},
                    {"os", os()},
                    {"cpu", cpu()},
                    {"ram_bytes", ram},
                    {"gpu", versions.gpu},
                    {"threads", {{"intra", versions.threads}, {"inter", versions.interop_threads}}},
                    {"locale", locale_name()},
                    {"determinism", versions.determinism},
                    {"variables", variables()}};
  const std::string text = '{' + members_of(doc) + '}';  // as it will be stored
  Fact fact{.sha256 = base::sha256(text), .body = {}};
  fact.body = {{"sha256", fact.sha256}, {"doc", Json::parse(text)}};
  return fact;
}

}  // namespace diopter::exec
