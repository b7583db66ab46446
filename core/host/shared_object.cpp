#include "host/shared_object.hpp"

#include <cxxabi.h>

#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include "base/utf8.hpp"
#include "host/plugin_error.hpp"

namespace diopter::host {
namespace {

namespace dll = boost::dll;

// Reachable for ever: a handle that is destroyed would unmap code that is still pointed to.
struct Handles {
  std::mutex mutex;
  std::map<std::filesystem::path, dll::shared_library> open;
};
Handles& handles() {
  static Handles& immortal = *new Handles;
  return immortal;
}

std::string demangled(const std::string& symbol) {
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &failed), &std::free);
  return readable ? readable.get() : symbol;
}

// Boost wraps what dlerror() said: "... (dlerror system message: TEXT): Bad file descriptor [...]".
std::string_view dlerror_part(std::string_view what) {
  constexpr std::string_view before = "dlerror system message: ";
  const std::size_t start = what.find(before);
  if (start == std::string_view::npos) return what;
  what.remove_prefix(start + before.size());
  return what.substr(0, what.rfind("): "));
}

}  // namespace

LoadProblem explain_load_problem(std::string_view text, const std::filesystem::path& file) {
  const std::string prefix = file.string() + ": ";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  constexpr std::string_view undefined = "undefined symbol: ";
  if (text.starts_with(undefined)) {
    const std::string_view symbol = text.substr(undefined.size());
    return {"undefined_symbol", "undefined symbol " +
                                    demangled(std::string(symbol.substr(0, symbol.find_first_of(" ,)")))) +
                                    "; link the library that defines it (LINK of diopter_add_plugin)."};
  }
  const std::size_t missing = text.find(": cannot open shared object file");
  if (missing != std::string_view::npos) {
    return {"missing_library", "it needs " + base::printable(text.substr(0, missing)) +
                                   ", which is not found; install that library or add its folder to LD_LIBRARY_PATH."};
  }
  return {"failed", base::printable(text, 500) + "; build it again with diopter_add_plugin()."};
}

const diopter_plugin* open_library(const std::filesystem::path& file) {
  Handles& all = handles();
  const std::lock_guard lock(all.mutex);
  auto found = all.open.find(file);
  if (found == all.open.end()) {
    try {
      // The throwing form: the other one loses what dlerror said.
      found = all.open.emplace(file, dll::shared_library(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local))
                  .first;
    } catch (const std::exception& error) {
      const LoadProblem problem = explain_load_problem(dlerror_part(error.what()), file);
      throw PluginError(Stage::Open, problem.code, file.string() + " cannot be loaded: " + problem.sentence,
                        {.file = file});
    }
  }
  if (!found->second.has("diopter_entry")) {
    throw PluginError(Stage::Entry, "no_symbol",
                      file.string() +
                          " does not export diopter_entry; build it with diopter_add_plugin() and one "
                          "DIOPTER_PLUGIN line.",
                      {.file = file});
  }
  return &found->second.get<const diopter_plugin>("diopter_entry");
}

}  // namespace diopter::host
