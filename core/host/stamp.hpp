// The stamp of a plugin: text that says what it was built against and what it offers, read without loading the library.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::host {

struct StampKind {
  std::string name, summary;
  bool operator==(const StampKind&) const = default;
};

struct Stamp {
  int epoch = 0, level = 0;
  std::string sdk;  // hash of the SDK's headers; "" in stamps of tagged releases
  std::string torch, stl, containers, sanitizer;
  std::string id, version;
  std::vector<StampKind> kinds;
  std::string text;  // as it stands in the file
};

// Step 3. PluginError(File) or PluginError(Stamp), one sentence; text from the file is escaped and cut.
Stamp read_stamp(const std::filesystem::path& file);
// `text` of the section of `file`, which is named in errors. Unknown keys are ignored.
Stamp parse_stamp(std::string_view text, const std::filesystem::path& file);

}  // namespace diopter::host
