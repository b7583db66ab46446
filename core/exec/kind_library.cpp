#include "exec/kind_library.hpp"

namespace diopter::exec {

KindLibrary::KindLibrary(std::vector<std::filesystem::path> plugin_path)
    : index_(host::PluginIndex::scan(host::search_path(host::default_search(std::move(plugin_path))))) {}

host::LoadedKind KindLibrary::open(std::string_view name) {
  const host::LoadedKind kind = host::load_kind(index_.resolve(name));
  opened_.push_back(kind);
  return kind;
}

std::vector<host::LoadedKind> KindLibrary::of_file(const std::filesystem::path& file) {
  const host::Stamp stamp = host::read_stamp(std::filesystem::absolute(file));
  host::check_stamp(stamp, file);
  std::vector<host::LoadedKind> out;
  for (const auto& kind : stamp.kinds)
    out.push_back(host::load_kind({std::filesystem::absolute(file), stamp, kind.name}));
  return out;
}

study::KindAnswer KindLibrary::answer(std::string_view name) {
  try {
    return {open(name).kind, {}};
  } catch (const host::PluginError& error) {
    if (error.exit() == base::Exit::Refused) worst_ = base::Exit::Refused;
    return {nullptr, error.what()};
  }
}

host::LoadedKind KindLibrary::loaded(const diopter_kind* kind) const {
  for (const auto& candidate : opened_) {
    if (candidate.kind == kind) return candidate;
  }
  base::internal_error(__FILE__, __LINE__, "a kind was asked for that this library did not open");
}

}  // namespace diopter::exec
