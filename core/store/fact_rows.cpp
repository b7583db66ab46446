#include "store/fact_rows.hpp"

#include "store/optional_json.hpp"

namespace diopter::store {
namespace {

std::string text(const Json& body, const char* key) { return body.at(key).get<std::string>(); }

std::optional<std::string> maybe_document(const Json& body, const char* key) {
  const auto at = body.find(key);
  if (at == body.end() || at->is_null()) return {};
  return at->dump();
}

void add_environment(Connection& db, const Json& body) {
  db.prepare("INSERT INTO environment(sha256, doc) VALUES (?,?) ON CONFLICT DO NOTHING")
      .bind(text(body, "sha256"), body.at("doc").dump())
      .run();
}

void add_source_state(Connection& db, const Json& body) {
  db.prepare(
        "INSERT INTO source_state(sha256, repo_url, commit_sha, branch, dirty, diff, diff_omitted, untracked, build)"
        " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(text(body, "sha256"), maybe_text(body, "repo_url"), maybe_text(body, "commit"), maybe_text(body, "branch"),
            maybe_bool(body, "dirty"), maybe_text(body, "diff"), maybe_text(body, "diff_omitted"),
            maybe_document(body, "untracked"), body.at("build").dump())
      .run();
}

void add_output_def(Connection& db, const Json& body) {
  db.prepare(
        "INSERT INTO output_def(kind, kind_version, name, type, unit, doc, better) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT DO NOTHING")
      .bind(text(body, "kind"), body.at("kind_version").get<std::int64_t>(), text(body, "name"), text(body, "type"),
            maybe_text(body, "unit"), maybe_text(body, "doc"), maybe_text(body, "better").value_or("none"))
      .run();
}

}  // namespace

void add_plugin(Connection& db, const Json& body) {
  db.prepare(
        "INSERT INTO plugin(sha256, plugin_id, version, path, abi_stamp) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(text(body, "sha256"), text(body, "id"), text(body, "version"), maybe_text(body, "path"),
            maybe_text(body, "abi_stamp"))
      .run();
}

void add_input_file(Connection& db, const Json& body) {
  db.prepare("INSERT INTO input_file(sha256, kind, bytes, path, meta) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(text(body, "sha256"), text(body, "kind"), body.at("bytes").get<std::int64_t>(), maybe_text(body, "path"),
            maybe_document(body, "meta"))
      .run();
}

void add_fact(Connection& db, const Record& record) {
  if (record.type == "environment") add_environment(db, record.body);
  else if (record.type == "source_state") add_source_state(db, record.body);
  else if (record.type == "plugin") add_plugin(db, record.body);
  else if (record.type == "input_file") add_input_file(db, record.body);
  else if (record.type == "output_def") add_output_def(db, record.body);
  else throw BadSegment("a record of type '" + record.type + "' names no run");
}

}  // namespace diopter::store
