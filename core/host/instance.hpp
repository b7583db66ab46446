// One analysis object of a plugin: created and destroyed through the C functions of its kind.
#pragma once

#include <diopter/params.hpp>

#include "host/loaded_plugin.hpp"

namespace diopter::host {

// A status that the host owns and a plugin's function fills.
struct Status : diopter_status {
  Status() : diopter_status{} { struct_size = sizeof(diopter_status); }
  std::string text() const;  // valid UTF-8
};

class Instance {
 public:
  // PluginError(Create): refuses, throws_std, throws_int, torch, memory, stopped.
  Instance(const LoadedKind& kind, const Params& params);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  void* self() const { return self_; }

 private:
  LoadedKind kind_;
  void* self_ = nullptr;
};

// Step 11: created and destroyed, for its cross-parameter checks.
void preflight(const LoadedKind& kind, const Params& params);

}  // namespace diopter::host
