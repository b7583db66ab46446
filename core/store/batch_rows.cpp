#include "store/batch_rows.hpp"

#include "store/fact_rows.hpp"
#include "store/optional_json.hpp"

namespace diopter::store {
namespace {

void add_manifest(Connection& db, const PlanManifest& manifest) {
  db.prepare(
        "INSERT INTO manifest(sha256, path, source, resolved, schema_version) VALUES (?,?,?,?,?) ON CONFLICT DO "
        "NOTHING")
      .bind(manifest.sha256(), manifest.path, manifest.source, manifest.resolved.dump(), manifest.schema_version)
      .run();
}

void add_batch(Connection& db, const ReadPlan& read) {
  const PlanHeader& header = read.plan.header;
  db.prepare(
        "INSERT INTO batch(id, name, manifest_sha256, plan_sha256, argv, overrides, executor, spool_dir, planned, "
        "created_at_us)"
        " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(header.batch_id, header.name, header.manifest.sha256(), read.sha256, Json(header.argv).dump(),
            Json(header.overrides).dump(), header.executor, header.spool_dir, read.plan.items.size(),
            header.created_at_us)
      .run();
}

// A cached item points at its run only where that run is: a copied spool may be merged into another store.
void add_item(Connection& db, const std::string& batch_id, const PlanItem& item) {
  db.prepare(
        "INSERT INTO plan_item(batch_id, item, stage, entry, name, kind, fingerprint, run_id, cached)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7, (SELECT id FROM run WHERE id = ?8), EXISTS (SELECT 1 FROM run WHERE id = ?8))"
        " ON CONFLICT DO NOTHING")
      .bind(batch_id, item.item, item.stage, item.entry, item.name, item.kind, item.fingerprint, item.cached)
      .run();
}

const char* skip_word(Skip why) {
  switch (why) {
    case Skip::Cancelled: return "cancelled";
    case Skip::NeedsFailed: return "needs_failed";
    case Skip::Stopped: return "stopped";
  }
  return "stopped";
}

}  // namespace

void add_plan(Connection& db, const ReadPlan& read) {
  const PlanHeader& header = read.plan.header;
  for (const PlanPlugin& plugin : header.plugins) {
    add_plugin(db, {{"sha256", plugin.sha256},
                    {"id", plugin.id},
                    {"version", plugin.version},
                    {"path", or_null(plugin.path)},
                    {"abi_stamp", or_null(plugin.abi_stamp)}});
  }
  for (const PlanInput& input : header.inputs) {
    add_input_file(db, {{"sha256", input.sha256},
                        {"kind", input.kind},
                        {"bytes", input.bytes},
                        {"path", or_null(input.path)},
                        {"meta", input.meta}});
  }
  add_manifest(db, header.manifest);
  add_batch(db, read);
  for (const PlanItem& item : read.plan.items) add_item(db, header.batch_id, item);
}

bool has_batch(Connection& db, const std::string& batch_id) {
  Statement found = db.prepare("SELECT 1 FROM batch WHERE id = ?");
  return found.bind(batch_id).step();
}

void skip_items(Store& store, const std::string& batch_id, const std::vector<std::int64_t>& items, Skip why) {
  store.transact([&](Connection& db) {
    for (const std::int64_t item : items) {
      db.prepare(
            "UPDATE plan_item SET skip = ?3 WHERE batch_id = ?1 AND item = ?2 AND run_id IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM run WHERE run.batch_id = ?1 AND run.item = ?2)")
          .bind(batch_id, item, skip_word(why))
          .run();
    }
  });
}

bool batch_is_done(Connection& db, const std::string& batch_id) {
  Statement open = db.prepare(
      "SELECT EXISTS (SELECT 1 FROM writer WHERE batch_id = ?1 AND ended_at_us IS NULL)"
      " OR EXISTS (SELECT 1 FROM run WHERE batch_id = ?1 AND status = 'running')"
      " OR EXISTS (SELECT 1 FROM plan_item i WHERE i.batch_id = ?1 AND i.run_id IS NULL AND i.skip IS NULL"
      "   AND NOT EXISTS (SELECT 1 FROM run r WHERE r.batch_id = ?1 AND r.item = i.item))");
  return open.bind(batch_id).step() && open.integer(0) == 0;
}

bool close_batch_if_done(Connection& db, const std::string& batch_id, std::int64_t now_us) {
  if (!batch_is_done(db, batch_id)) return false;
  db.prepare("UPDATE batch SET closed_at_us = ? WHERE id = ? AND closed_at_us IS NULL").bind(now_us, batch_id).run();
  return true;
}

}  // namespace diopter::store
