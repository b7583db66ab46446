// Step 10: which hook points a kind may look at and change, from the model's config alone.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <diopter/hook_name.hpp>

#include "host/loaded_plugin.hpp"
#include "study/param_value.hpp"

namespace diopter::host {

struct KindHooks {
  std::set<std::string, std::less<>> observed;  // those of edits() rows too
  std::set<std::string, std::less<>> edited;
};

// Every row of the kind's table matches a hook point of the model; {layer} is every layer, {name} the value of a
// parameter. PluginError(Hooks): no_match, placeholder.
KindHooks resolve_hooks(const LoadedKind& kind, const std::vector<study::CheckedParam>& params, const HookTable& table,
                        const std::string& model);

// "blocks.3.attn.hook_z" -> "blocks.*.attn.hook_z": what a table row would say.
std::string without_numbers(std::string_view name);

}  // namespace diopter::host
