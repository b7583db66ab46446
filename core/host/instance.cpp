#include "host/instance.hpp"

#include <cstring>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "host/crash_note.hpp"

namespace diopter::host {
namespace {

[[noreturn]] void refuse(const LoadedKind& kind, int code, const std::string& text) {
  const std::string subject = "kind " + base::quoted(kind.name());
  const auto error = [&](const char* id, const std::string& rest) {
    return PluginError(Stage::Create, id, subject + " " + rest, kind.about());
  };
  constexpr const char* advice = "; throw diopter::Error with a sentence instead.";
  switch (code) {
    case DIOPTER_REFUSED: throw error("refuses", "refused its parameters: " + text);
    case DIOPTER_STOPPED: throw error("stopped", "stopped while it was created: " + text);
    case DIOPTER_TORCH: throw error("torch", "failed in LibTorch while it was created: " + text);
    case DIOPTER_NO_MEMORY: throw error("memory", "ran out of memory while it was created: " + text);
    case DIOPTER_EXCEPTION:
      throw error("throws_std", "threw a C++ exception while it was created (" + text + ")" + advice);
    case DIOPTER_NOT_AN_EXCEPTION: throw error("throws_int", "threw " + text + " while it was created" + advice);
    default:
      throw error("code",
                  "answered with the unknown code " + std::to_string(code) + " when it was created; build it again.");
  }
}

}  // namespace

std::string Status::text() const { return base::escape_invalid_utf8({message, strnlen(message, sizeof message)}); }

Instance::Instance(const LoadedKind& kind, const Params& params) : kind_(kind) {
  Status status;
  const CrashNote note(kind.name(), kind.plugin->file);
  const int code = kind.kind->create(reinterpret_cast<const diopter_params*>(&params), &self_, &status);
  if (code != DIOPTER_OK) refuse(kind, code, status.text());
}

Instance::~Instance() {
  const CrashNote note(kind_.name(), kind_.plugin->file);
  kind_.kind->destroy(self_);
}

void preflight(const LoadedKind& kind, const Params& params) { const Instance instance(kind, params); }

}  // namespace diopter::host
