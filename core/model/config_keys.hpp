// Reads a Hugging Face config.json so that no key is silently ignored: every key is read, required to have the one
// value diopter implements, or declared harmless; what is left over is refused.
#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <diopter/base.hpp>

#include "base/canonical_json.hpp"

namespace diopter::model {

// null counts as absent. Every getter throws UserError(Refused) with the key, what was expected and what was found.
class ConfigKeys {
 public:
  ConfigKeys(const base::Json& config, std::string where) : config_(config), where_(std::move(where)) {}

  Index size(const char* key);  // a positive whole number that must be there
  Index size(const char* key, Index fallback);
  double positive(const char* key, double fallback);
  std::optional<double> maybe_positive(const char* key);
  double number(const char* key, double fallback);  // finite
  bool flag(const char* key, bool fallback);
  std::string word(const char* key, const char* fallback);
  std::vector<std::string> words(const char* key);  // of a list; empty when absent
  bool has(const char* key) const;
  bool is_null(const char* key) const;  // there, and null: for keys where that differs from absent
  // The keys of an object below this one, or nothing. Its finish() is called by the caller; it must not outlive this.
  std::optional<ConfigKeys> part(const char* key);

  void must_be_false(std::initializer_list<const char*> keys);  // flags for what diopter does not implement
  void harmless(std::initializer_list<const char*> keys);       // do not change the numbers of a forward
  // Throws for a key nobody read that is not false, null or empty, with the nearest name that is known.
  void finish() const;

  [[noreturn]] void refuse(const char* key, const std::string& expected) const;

 private:
  const base::Json* find(const char* key);

  const base::Json& config_;
  std::string where_;
  std::set<std::string> known_;
};

}  // namespace diopter::model
