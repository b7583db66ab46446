#include "engine/memory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include <diopter/error.hpp>

#include "base/hints.hpp"

namespace diopter::engine {
namespace {

Index available_bytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    Index kilobytes = 0;
    std::string unit;
    if (key == "MemAvailable:" && file >> kilobytes >> unit) return kilobytes * 1024;
    std::getline(file, unit);
  }
  return static_cast<Index>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

// "blocks.3.attn.hook_z" -> "blocks.*.attn.hook_z": sizes are listed by kind of point.
std::string all_layers(const HookPoint& point) {
  const std::string name(point.name), layer = "blocks." + std::to_string(point.layer) + ".";
  return point.layer >= 0 && name.starts_with(layer) ? "blocks.*." + name.substr(layer.size()) : name;
}

}  // namespace

std::string bytes_text(Index bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes >= 1000000000) return fmt::format("{:.1f} GB", value / 1e9);
  if (bytes >= 1000000) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.1f} kB", value / 1e3);
}

Index memory_budget(Index asked) {
  return asked > 0 ? asked : static_cast<Index>(0.6 * static_cast<double>(available_bytes()));
}

Index rows_that_fit(const ModelInfo& info, Index longest, Index budget) {
  const Index stream =
      longest * (10 * info.d_model + 3 * info.d_mlp + (info.n_heads + 2 * info.n_kv_heads) * info.d_head);
  const Index pairs = 3 * info.n_heads * longest * longest;
  const Index bytes = static_cast<Index>(sizeof(float)) * (stream + pairs);
  return std::max<Index>(1, budget / 4 / std::max<Index>(1, bytes));
}

void check_capture_fits(std::span<const CaptureSize> sizes, const HookTable& hooks, Index budget) {
  Index total = 0;
  std::map<std::string, Index> by_point;
  for (const CaptureSize& size : sizes) {
    total += size.bytes;
    by_point[all_layers(hooks[size.id])] += size.bytes;
  }
  if (total <= budget) return;
  std::vector<std::pair<std::string, Index>> largest(by_point.begin(), by_point.end());
  std::stable_sort(largest.begin(), largest.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> words;
  for (const auto& [name, bytes] : largest) {
    if (words.size() == 6) break;
    words.push_back(fmt::format("{} {}", name, bytes_text(bytes)));
  }
  throw Error(
      fmt::format("the captured values take {} (largest: {}), but the memory budget is {}; capture fewer points or "
                  "positions, batches() of the prompts, or raise memory_budget",
                  bytes_text(total), base::join(words), bytes_text(budget)));
}

}  // namespace diopter::engine
