// RUN and SEL: how people name runs.
#include <algorithm>
#include <charconv>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/ulid.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace {

constexpr std::size_t kShortestPrefix = 4;
constexpr int kCandidates = 10;

[[noreturn]] void no_match(std::string_view selector, const std::string& help = "diopter runs lists them") {
  throw base::UserError(base::Exit::NoMatch, "no run matches '" + std::string(selector) + "'", help,
                        "selector.no_match");
}

[[noreturn]] void malformed(std::string_view selector, const std::string& why) {
  throw base::UserError(base::Exit::Usage, "'" + std::string(selector) + "' names no run: " + why,
                        "give at least 4 characters of an id, @1 for the newest, batch:NAME or fp:HEX",
                        "selector.malformed");
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

bool all_in(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string by_position(Connection& db, std::string_view selector) {
  const auto position = number(selector.substr(1));
  if (!position || *position < 1) malformed(selector, "@ is followed by 1 for the newest run, 2 for the one before it");
  Statement at = db.prepare(
      "SELECT id FROM run WHERE archived_at_us IS NULL AND deleted_at_us IS NULL"
      " ORDER BY started_at_us DESC, seq DESC LIMIT 1 OFFSET ?");
  if (!at.bind(*position - 1).step()) {
    no_match(selector, "the store has " +
                           std::to_string(db.integer(
                               "SELECT count(*) FROM run WHERE archived_at_us IS NULL AND deleted_at_us IS NULL")) +
                           " runs");
  }
  return at.text(0);
}

std::string candidate_line(const Statement& at) {
  return base::short_id(at.text(0)) + " (" + at.text(1) + ", " + base::iso8601(at.integer(2)).substr(0, 19) + ")";
}

std::string by_prefix(Connection& db, std::string_view selector) {
  const std::string prefix = upper(selector);
  if (prefix.size() < kShortestPrefix || prefix.size() > 26 || !all_in(prefix, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")) {
    malformed(selector, "an id has 4 to 26 characters of 0-9 and A-Z without I, L, O, U");
  }
  // Two index ranges; '[' comes after every character of an id.
  const std::string range = " (id >= ?1 AND id < ?1 || '[') OR (substr(id, 19) >= ?1 AND substr(id, 19) < ?1 || '[') ";
  {
    Statement exact = db.prepare("SELECT id FROM run WHERE id = ?1 OR substr(id, 19) = ?1 LIMIT 2");
    if (exact.bind(prefix).step()) {
      std::string id = exact.text(0);
      if (!exact.step()) return id;
    }
  }
  Statement at = db.prepare("SELECT id, kind, started_at_us FROM run WHERE" + range +
                            "ORDER BY started_at_us DESC, seq DESC LIMIT 11");
  std::vector<std::string> ids, lines;
  for (at.bind(prefix); at.step();) {
    ids.push_back(at.text(0));
    lines.push_back(candidate_line(at));
  }
  if (ids.empty()) no_match(selector);
  if (ids.size() == 1) return ids.front();
  const bool more = ids.size() > kCandidates;
  if (more) lines.resize(kCandidates);
  throw base::UserError(base::Exit::Usage,
                        "'" + std::string(selector) + "' matches " +
                            (more ? "more than 10" : std::to_string(ids.size())) + " runs: " + base::join(lines),
                        "give more characters of the id", "selector.ambiguous");
}

std::vector<std::string> by_fingerprint(Connection& db, std::string_view selector) {
  const std::string_view prefix = selector.substr(3);
  if (prefix.size() < kShortestPrefix || prefix.size() > 64 || !all_in(prefix, "0123456789abcdef")) {
    malformed(selector, "fp: is followed by 4 to 64 digits of 0-9 and a-f");
  }
  std::vector<std::string> out;
  Statement at = db.prepare(
      "SELECT id FROM run WHERE fingerprint >= ?1 AND fingerprint < ?1 || 'g' AND deleted_at_us IS NULL"
      " ORDER BY started_at_us DESC, seq DESC");
  for (at.bind(prefix); at.step();) out.push_back(at.text(0));
  return out;
}

// NAME, NAME/ENTRY or NAME/17. Names may hold slashes: a batch with the whole name wins.
std::vector<std::string> by_batch(const Reader& reader, std::string_view selector) {
  const std::string name(selector.substr(6));
  std::string part;
  BatchRow batch;
  try {
    batch = reader.batch(name);
  } catch (const base::UserError&) {
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) throw;
    batch = reader.batch(name.substr(0, slash));
    part = name.substr(slash + 1);
  }
  const auto item = number(part);
  std::vector<std::string> out, entries;
  for (const ItemRow& row : reader.items(batch.id)) {
    if (std::find(entries.begin(), entries.end(), row.entry) == entries.end()) entries.push_back(row.entry);
    const bool wanted = part.empty() || row.entry == part || (item && row.item == *item);
    if (wanted && row.run_id) out.push_back(*row.run_id);
  }
  if (!part.empty() && !item && std::find(entries.begin(), entries.end(), part) == entries.end()) {
    throw base::UserError(base::Exit::NoMatch,
                          "batch '" + batch.name + "' has no entry '" + part + "'" + base::did_you_mean(part, entries));
  }
  return out;
}

}  // namespace

std::string Reader::resolve_run(std::string_view selector) const {
  const ReadTransaction view(*db_);
  if (selector.starts_with('@')) return by_position(*db_, selector);
  return by_prefix(*db_, selector);
}

std::vector<std::string> Reader::resolve(std::string_view selector) const {
  std::vector<std::string> out;
  if (selector.starts_with("batch:")) {
    out = by_batch(*this, selector);
  } else if (selector.starts_with("fp:")) {
    out = by_fingerprint(*db_, selector);
  } else {
    return {resolve_run(selector)};
  }
  if (out.empty()) no_match(selector);
  return out;
}

}  // namespace diopter::store
