#include <diopter/generation.hpp>

#include <cmath>

#include <diopter/error.hpp>

#include "base/canonical_json.hpp"
#include "base/utf8.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

std::string shown(Index value) { return std::to_string(value); }
std::string shown(double value) { return base::shortest(value); }

template <class Number>
void within(bool fine, const char* name, const char* range, Number got) {
  if (fine) return;
  throw Error(std::string(name) + " is " + shown(got) + ", where " + range + " is expected; correct it");
}

}  // namespace

void check(const GenerateOptions& options) {
  within(options.max_new_tokens >= 1, "max_new_tokens", "1 or more", options.max_new_tokens);
  within(options.top_k >= 0, "top_k", "0 (all tokens) or more", options.top_k);
  within(options.temperature >= 0 && std::isfinite(options.temperature), "temperature", "0 (greedy) or more",
         options.temperature);
  within(options.top_p > 0 && options.top_p <= 1, "top_p", "a number above 0 and up to 1", options.top_p);
  if (options.temperature == 0 && (options.top_k > 0 || options.top_p < 1)) {
    throw Error(
        "top_k and top_p have no effect at temperature 0, where the likeliest token is taken; set a temperature");
  }
  if (options.temperature == 0 && options.seeds.size() > 1) {
    throw Error("samples at temperature 0 are all the same; set a temperature or take one");
  }
  for (const std::string& stop : options.stop) {
    if (stop.empty()) throw Error("a stop string is empty and would end every text at once; remove it");
    if (base::invalid_utf8_offset(stop)) throw Error("a stop string is not UTF-8; write it as text");
  }
}

}  // namespace abi1
}  // namespace diopter
