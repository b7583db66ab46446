// Canonical JSON: equal values have equal bytes, on every machine and in every locale. What fingerprints hash.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace diopter::base {

using Json = nlohmann::json;

// UTF-8, keys sorted bytewise, no white space; integers in decimal; floats by std::to_chars (shortest) with ".0"
// appended when there is no '.' or 'e'; -0 becomes 0.0; only '"', '\' and characters below 0x20 are escaped.
// A non-finite number or invalid UTF-8 is a UserError.
std::string canonical_json(const Json& value);

// JSON for people and other programs: floats in shortest round-trip form, non-finite ones as the strings "NaN",
// "Infinity", "-Infinity"; keys in the order given by `Json` (sorted). `indent` < 0: one line.
std::string plain_json(const Json& value, int indent = -1);

// The same number format as canonical_json.
std::string shortest(double value);

}  // namespace diopter::base
