// The text of one generation, token by token: what is certain, and where a stop string ends it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diopter::engine {

// Bytes in, well-formed UTF-8 out. Where a text is cut depends on its bytes alone, not on how tokens split them.
class TextStream {
 public:
  // `stops`: not empty ones; outlives the stream.
  explicit TextStream(const std::vector<std::string>& stops) : stops_(&stops) {}

  // Adds one token's bytes and returns the text that became certain: whole characters, none of which a stop string may
  // still claim. Not after stopped().
  std::string add(std::string_view bytes);
  // What is left when the text ends otherwise: an unfinished character is U+FFFD.
  std::string finish();
  bool stopped() const noexcept { return stopped_; }  // a stop string is complete; finish() returns nothing more

 private:
  std::string released(std::size_t bytes);  // the first `bytes` that are held

  const std::vector<std::string>* stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace diopter::engine
