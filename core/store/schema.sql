-- diopter run store: schema version 1 (SQLite >= 3.40.1). Reasons: docs/run_store.md.
-- Times: integer microseconds since 1970-01-01T00:00:00Z. Ids: ULID, 26 characters. Hashes: SHA-256, 64 lower-case hex.
-- The program runs the first pragma, then everything else in one BEGIN IMMEDIATE, then switches to WAL.
PRAGMA page_size      = 8192;        -- cannot change once the file is in WAL mode
PRAGMA application_id = 0x44494F50;  -- "DIOP": file(1) and our opener recognise the file
PRAGMA user_version   = 1;           -- fast check; the audit trail is in `migration`

CREATE TABLE migration (
  version INTEGER PRIMARY KEY, name TEXT NOT NULL, ddl_sha256 TEXT NOT NULL,
  app_version TEXT NOT NULL, applied_at_us INTEGER NOT NULL) STRICT;
CREATE TABLE store_meta (            -- store_id (ULID), created_at_us, created_by, views, min_reader
  key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- content-addressed facts, shared by many runs -------------------------------------------------------------
CREATE TABLE manifest (
  sha256 TEXT PRIMARY KEY, path TEXT, source TEXT NOT NULL,                 -- the TOML exactly as read
  resolved TEXT NOT NULL CHECK (json_valid(resolved)),                      -- after defaults and overrides
  schema_version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE environment (
  sha256 TEXT PRIMARY KEY, doc TEXT NOT NULL CHECK (json_valid(doc)),
  host TEXT AS (json_extract(doc, '$.host.name')) VIRTUAL,
  gpu  TEXT AS (json_extract(doc, '$.gpu[0].name')) VIRTUAL) STRICT;
CREATE TABLE source_state (
  sha256 TEXT PRIMARY KEY, repo_url TEXT, commit_sha TEXT, branch TEXT,
  dirty INTEGER CHECK (dirty IN (0,1)),                                     -- NULL: not a repository
  diff TEXT, diff_omitted TEXT,                                             -- the diff, or why there is none
  untracked TEXT CHECK (untracked IS NULL OR json_valid(untracked)),        -- [{"path":..,"sha256":..}]
  build TEXT NOT NULL CHECK (json_valid(build)),                            -- version, compiler, flags, libraries
  CHECK (diff IS NULL OR diff_omitted IS NULL)) STRICT;
CREATE TABLE plugin (
  sha256 TEXT PRIMARY KEY, plugin_id TEXT NOT NULL, version TEXT NOT NULL,  -- hash of the loaded file
  path TEXT, abi_stamp TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE input_file (
  sha256 TEXT PRIMARY KEY,                                                  -- of a directory: see base/hash.hpp, sha256_tree
  kind TEXT NOT NULL CHECK (kind IN ('model','tokenizer','dataset','vector','other')),
  bytes INTEGER NOT NULL, path TEXT, meta TEXT CHECK (meta IS NULL OR json_valid(meta))) STRICT, WITHOUT ROWID;
CREATE TABLE text_blob (sha256 TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT; -- parameters over 512 bytes
CREATE TABLE output_def (            -- what the plugin declared; direction arrows, units and help come from here
  kind TEXT NOT NULL, kind_version INTEGER NOT NULL, name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('metric','tensor','table','figure','text','file','model','dataset')),
  unit TEXT, doc TEXT,
  better TEXT NOT NULL DEFAULT 'none' CHECK (better IN ('higher','lower','none')),
  PRIMARY KEY (kind, kind_version, name)) STRICT, WITHOUT ROWID;

-- one invocation of `diopter run` or `diopter submit`, and its frozen plan -----------------------------------
CREATE TABLE batch (
  id TEXT PRIMARY KEY CHECK (length(id) = 26), name TEXT NOT NULL,
  manifest_sha256 TEXT NOT NULL REFERENCES manifest(sha256), plan_sha256 TEXT NOT NULL,
  argv TEXT NOT NULL CHECK (json_valid(argv)), overrides TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(overrides)),
  executor TEXT NOT NULL, submission TEXT CHECK (submission IS NULL OR json_valid(submission)), -- scheduler job ids
  spool_dir TEXT NOT NULL, planned INTEGER NOT NULL,
  created_at_us INTEGER NOT NULL, closed_at_us INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX batch_name ON batch(name, created_at_us DESC);
CREATE TABLE plan_item (
  batch_id TEXT NOT NULL REFERENCES batch(id) ON DELETE CASCADE, item INTEGER NOT NULL CHECK (item >= 0),
  stage INTEGER NOT NULL DEFAULT 0, entry TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL CHECK (length(fingerprint) = 64),
  run_id TEXT REFERENCES run(id) ON DELETE SET NULL,                        -- the run whose result answers this item
  cached INTEGER NOT NULL DEFAULT 0 CHECK (cached IN (0,1)),                -- 1: that run belongs to an earlier batch
  skip TEXT CHECK (skip IN ('cancelled','needs_failed','stopped')),         -- never started, and why
  PRIMARY KEY (batch_id, item)) STRICT, WITHOUT ROWID;
CREATE INDEX plan_item_run ON plan_item(run_id) WHERE run_id IS NOT NULL;

-- one process that produces results; liveness and fencing hang on it -----------------------------------------
CREATE TABLE writer (
  id TEXT PRIMARY KEY CHECK (length(id) = 26), batch_id TEXT NOT NULL REFERENCES batch(id) ON DELETE CASCADE,
  host TEXT NOT NULL, boot_id TEXT, pid INTEGER NOT NULL,
  pid_start INTEGER, pid_ns INTEGER,                                        -- /proc/PID/stat field 22; pid namespace inode
  scheduler TEXT, scheduler_job TEXT, restart_count INTEGER NOT NULL DEFAULT 0,
  opened_at_us INTEGER NOT NULL, heartbeat_at_us INTEGER NOT NULL,
  ended_at_us INTEGER, end_kind TEXT CHECK (end_kind IN ('closed','requeued','dead')), end_proof TEXT,
  CHECK ((ended_at_us IS NULL) = (end_kind IS NULL)),
  CHECK (end_kind IS NOT 'dead' OR end_proof IS NOT NULL)) STRICT, WITHOUT ROWID;

-- one attempt at one item --------------------------------------------------------------------------------------
CREATE TABLE run (
  seq INTEGER PRIMARY KEY,                                                  -- local join key, never shown
  id  TEXT NOT NULL UNIQUE CHECK (length(id) = 26),                         -- minted by the process that runs it
  batch_id TEXT REFERENCES batch(id), item INTEGER, entry TEXT,
  attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  retry_of  TEXT REFERENCES run(id) ON DELETE SET NULL,
  parent_id TEXT REFERENCES run(id) ON DELETE CASCADE,
  kind TEXT NOT NULL, kind_version INTEGER NOT NULL, name TEXT, note TEXT,
  model TEXT, seed INTEGER, dtype TEXT, backend TEXT,
  fingerprint TEXT NOT NULL CHECK (length(fingerprint) = 64),               -- what makes two runs "the same"
  status TEXT NOT NULL CHECK (status IN ('running','succeeded','failed','cancelled','timeout','crashed')),
  started_at_us INTEGER NOT NULL, ended_at_us INTEGER,
  exit_code INTEGER, signal INTEGER, error_type TEXT, error_message TEXT,
  writer_id     TEXT NOT NULL REFERENCES writer(id),
  plugin_sha256 TEXT REFERENCES plugin(sha256),
  source_sha256 TEXT REFERENCES source_state(sha256), env_sha256 TEXT REFERENCES environment(sha256),
  wall_ms REAL, cpu_ms REAL, peak_rss INTEGER, peak_vram INTEGER,
  archived_at_us INTEGER, deleted_at_us INTEGER,
  FOREIGN KEY (batch_id, item) REFERENCES plan_item(batch_id, item),
  CHECK ((status = 'running') = (ended_at_us IS NULL)),
  CHECK (status NOT IN ('failed','crashed','timeout') OR error_message IS NOT NULL)) STRICT;
CREATE INDEX run_started ON run(started_at_us DESC) WHERE archived_at_us IS NULL AND deleted_at_us IS NULL;
CREATE INDEX run_live    ON run(writer_id) WHERE status = 'running';
CREATE INDEX run_status  ON run(status, started_at_us) WHERE status <> 'succeeded';
CREATE INDEX run_batch   ON run(batch_id, item, attempt);
CREATE INDEX run_parent  ON run(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX run_retry   ON run(retry_of)  WHERE retry_of IS NOT NULL;
CREATE INDEX run_fp      ON run(fingerprint, status);                       -- not UNIQUE: --force reruns are legitimate
CREATE INDEX run_model   ON run(model, started_at_us);
CREATE INDEX run_kind    ON run(kind, started_at_us);
CREATE INDEX run_short   ON run(substr(id, 19));                            -- the short id people type

CREATE TABLE run_doc (               -- the wide columns, kept out of `run` so that listings stay narrow
  run_seq INTEGER PRIMARY KEY REFERENCES run(seq) ON DELETE CASCADE,
  config TEXT NOT NULL CHECK (json_valid(config)),                          -- full resolved parameters: the authority
  error_detail TEXT) STRICT;
CREATE TABLE param (
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE, key TEXT NOT NULL,  -- dotted path into config
  value ANY,                                                                -- ANY keeps 7 an integer and "007" a text
  type TEXT NOT NULL CHECK (type IN ('int','float','bool','text','text_ref','json','null')),
  swept INTEGER NOT NULL DEFAULT 0 CHECK (swept IN (0,1)),                  -- 1: an axis of the manifest sets it
  PRIMARY KEY (run_seq, key)) STRICT, WITHOUT ROWID;
CREATE INDEX param_kv ON param(key, value, type, swept, run_seq);
CREATE TABLE tag (
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE,
  key TEXT NOT NULL, value TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_seq, key)) STRICT, WITHOUT ROWID;
CREATE INDEX tag_kv ON tag(key, value, run_seq);

CREATE TABLE metric (
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE, name TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0,
  value REAL, is_nan INTEGER NOT NULL DEFAULT 0 CHECK (is_nan IN (0,1)),    -- SQLite turns NaN into NULL; +-Inf are kept
  stderr REAL, PRIMARY KEY (run_seq, name, step), CHECK ((value IS NULL) = is_nan)) STRICT, WITHOUT ROWID;
CREATE TABLE metric_last (           -- the newest step of each metric; kept by the trigger below
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE, name TEXT NOT NULL, step INTEGER NOT NULL,
  value REAL, is_nan INTEGER NOT NULL, stderr REAL, PRIMARY KEY (run_seq, name)) STRICT, WITHOUT ROWID;
CREATE INDEX metric_last_nv ON metric_last(name, value, run_seq);
CREATE TRIGGER metric_ai AFTER INSERT ON metric BEGIN
  INSERT INTO metric_last(run_seq, name, step, value, is_nan, stderr)
  VALUES (new.run_seq, new.name, new.step, new.value, new.is_nan, new.stderr)
  ON CONFLICT (run_seq, name) DO UPDATE SET step = excluded.step, value = excluded.value,
    is_nan = excluded.is_nan, stderr = excluded.stderr WHERE excluded.step > metric_last.step;
END;

CREATE TABLE artifact (
  id INTEGER PRIMARY KEY, run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE,
  name TEXT NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL,               -- path is relative to the store directory
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at_us INTEGER NOT NULL, UNIQUE (run_seq, name)) STRICT;
CREATE TABLE tensor (
  id INTEGER PRIMARY KEY, run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE,
  name TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0,
  dtype TEXT NOT NULL CHECK (dtype IN ('f64','f32','f16','bf16','i64','i32','i16','i8','u8','bool')),
  shape TEXT NOT NULL CHECK (json_valid(shape)),                            -- [12,15]; [] for a scalar
  dims  TEXT NOT NULL CHECK (json_valid(dims)),                             -- one object per axis: name, coordinates
  nbytes INTEGER NOT NULL, sha256 TEXT NOT NULL, vmin REAL, vmax REAL,      -- over finite values; NULL if none
  nonfinite INTEGER NOT NULL DEFAULT 0,
  artifact_id INTEGER REFERENCES artifact(id) ON DELETE CASCADE, byte_offset INTEGER,
  data BLOB,                                                                -- last column: listings never touch it
  UNIQUE (run_seq, name, step),
  CHECK (json_array_length(shape) = json_array_length(dims)),
  CHECK ((data IS NULL) <> (artifact_id IS NULL)), CHECK ((artifact_id IS NULL) = (byte_offset IS NULL)),
  CHECK (data IS NULL OR length(data) = nbytes)) STRICT;
CREATE INDEX tensor_artifact ON tensor(artifact_id) WHERE artifact_id IS NOT NULL;
CREATE TABLE output (                -- all but metrics, tensors, files; numeric columns of a table are tensors "table.column"
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE, name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('table','figure','text','model','dataset')),
  doc TEXT CHECK (doc IS NULL OR json_valid(doc)), artifact_id INTEGER REFERENCES artifact(id) ON DELETE CASCADE,
  PRIMARY KEY (run_seq, name), CHECK ((doc IS NULL) <> (artifact_id IS NULL))) STRICT, WITHOUT ROWID;
CREATE TABLE run_input (
  run_seq INTEGER NOT NULL REFERENCES run(seq) ON DELETE CASCADE, role TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES input_file(sha256), PRIMARY KEY (run_seq, role, sha256)) STRICT, WITHOUT ROWID;
CREATE INDEX run_input_file ON run_input(sha256, run_seq);

CREATE TABLE event (                 -- append-only: edits, fencing, reaping, spills, warnings
  id INTEGER PRIMARY KEY, run_seq INTEGER REFERENCES run(seq) ON DELETE CASCADE,
  batch_id TEXT REFERENCES batch(id) ON DELETE CASCADE, at_us INTEGER NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug','info','warning','error')), kind TEXT NOT NULL,
  author TEXT, message TEXT, data TEXT CHECK (data IS NULL OR json_valid(data)),
  writer_id TEXT, writer_n INTEGER,                                         -- spool record that carried it
  UNIQUE (writer_id, writer_n)) STRICT;
CREATE INDEX event_run   ON event(run_seq, id)  WHERE run_seq IS NOT NULL;
CREATE INDEX event_batch ON event(batch_id, id) WHERE batch_id IS NOT NULL;
CREATE TABLE imported_segment (
  writer_id TEXT NOT NULL, segment INTEGER NOT NULL, sha256 TEXT NOT NULL, records INTEGER NOT NULL,
  rejected INTEGER NOT NULL DEFAULT 0, imported_at_us INTEGER NOT NULL,
  PRIMARY KEY (writer_id, segment)) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE run_fts USING fts5(name, note, tags, error, prompt, tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER run_ad AFTER DELETE ON run BEGIN DELETE FROM run_fts WHERE rowid = old.seq; END;

-- read views: the documented, stable surface (view schema "diopter.views/1") -----------------------------------
CREATE VIEW v_run_all AS
SELECT r.id, substr(r.id, 19) AS short_id, b.name AS batch, r.entry, r.item, r.attempt, r.kind, r.kind_version, r.name,
  r.model, r.seed, r.dtype, r.backend,
  CASE WHEN r.status = 'running' AND w.heartbeat_at_us < (unixepoch() - 120) * 1000000 THEN 'stale' ELSE r.status END AS status,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.started_at_us / 1000000, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.ended_at_us / 1000000, 'unixepoch') AS ended,
  (r.ended_at_us - r.started_at_us) / 1e6 AS seconds,
  r.exit_code, r.signal, r.error_type, r.error_message AS error, w.host, w.scheduler_job,
  s.commit_sha, s.dirty, p.plugin_id AS plugin, p.version AS plugin_version, r.fingerprint, r.note,
  r.peak_rss, r.peak_vram, r.parent_id, r.retry_of, r.batch_id,
  r.started_at_us, r.archived_at_us, r.deleted_at_us, d.config, d.error_detail
FROM run r LEFT JOIN writer w ON w.id = r.writer_id LEFT JOIN batch b ON b.id = r.batch_id LEFT JOIN run_doc d ON d.run_seq = r.seq
  LEFT JOIN source_state s ON s.sha256 = r.source_sha256 LEFT JOIN plugin p ON p.sha256 = r.plugin_sha256;
CREATE VIEW v_run AS SELECT * FROM v_run_all WHERE archived_at_us IS NULL AND deleted_at_us IS NULL;
CREATE VIEW v_param AS
SELECT r.id AS run_id, p.key, p.type, CASE p.type WHEN 'text_ref' THEN t.body ELSE p.value END AS value, p.swept
FROM param p JOIN run r ON r.seq = p.run_seq LEFT JOIN text_blob t ON p.type = 'text_ref' AND t.sha256 = p.value;
CREATE VIEW v_tag AS SELECT r.id AS run_id, t.key, t.value FROM tag t JOIN run r ON r.seq = t.run_seq;
CREATE VIEW v_metric AS
SELECT r.id AS run_id, m.name, m.step, m.value, m.is_nan, m.stderr FROM metric m JOIN run r ON r.seq = m.run_seq;
CREATE VIEW v_metric_last AS
SELECT r.id AS run_id, m.name, m.step, m.value, m.is_nan, m.stderr FROM metric_last m JOIN run r ON r.seq = m.run_seq;
CREATE VIEW v_long AS                -- one row per run x swept parameter x metric (last step)
SELECT r.id AS run_id, r.batch_id, r.entry, r.kind, r.model, r.seed, p.key AS param, p.value AS param_value,
  m.name AS metric, m.step, m.value, m.stderr
FROM run r JOIN param p ON p.run_seq = r.seq AND p.swept = 1 JOIN metric_last m ON m.run_seq = r.seq
WHERE r.status = 'succeeded' AND r.archived_at_us IS NULL AND r.deleted_at_us IS NULL;
CREATE VIEW v_tensor AS
SELECT r.id AS run_id, t.id AS tensor_id, t.name, t.step, t.dtype, t.shape, t.dims, t.nbytes, t.sha256, t.vmin, t.vmax,
  t.nonfinite, a.path, t.byte_offset
FROM tensor t JOIN run r ON r.seq = t.run_seq LEFT JOIN artifact a ON a.id = t.artifact_id;
CREATE VIEW v_output AS
SELECT r.id AS run_id, o.name, o.type, o.doc, a.path
FROM output o JOIN run r ON r.seq = o.run_seq LEFT JOIN artifact a ON a.id = o.artifact_id;
CREATE VIEW v_artifact AS
SELECT r.id AS run_id, a.name, a.kind, a.path, a.bytes, a.sha256 FROM artifact a JOIN run r ON r.seq = a.run_seq;
CREATE VIEW v_input AS
SELECT r.id AS run_id, i.role, f.kind, f.path, f.bytes, i.sha256
FROM run_input i JOIN run r ON r.seq = i.run_seq JOIN input_file f ON f.sha256 = i.sha256;
CREATE VIEW v_item AS
SELECT b.name AS batch, i.batch_id, i.item, i.stage, i.entry, i.name, i.kind, i.fingerprint, i.run_id,
  CASE WHEN i.run_id IS NOT NULL AND i.cached = 1 THEN 'cached' WHEN i.run_id IS NOT NULL THEN 'succeeded'
       ELSE coalesce((SELECT r.status FROM run r WHERE r.batch_id = i.batch_id AND r.item = i.item
                      ORDER BY r.attempt DESC, r.seq DESC LIMIT 1), i.skip, 'queued') END AS state,
  (SELECT count(*) FROM run r WHERE r.batch_id = i.batch_id AND r.item = i.item) AS attempts
FROM plan_item i JOIN batch b ON b.id = i.batch_id;
CREATE VIEW v_batch AS
SELECT b.id, b.name, b.executor, b.planned, m.path AS manifest, b.manifest_sha256, b.plan_sha256,
  strftime('%Y-%m-%dT%H:%M:%SZ', b.created_at_us / 1000000, 'unixepoch') AS created,
  strftime('%Y-%m-%dT%H:%M:%SZ', b.closed_at_us / 1000000, 'unixepoch') AS closed
FROM batch b JOIN manifest m ON m.sha256 = b.manifest_sha256;
CREATE VIEW v_event AS
SELECT e.id AS event_id, r.id AS run_id, e.batch_id, strftime('%Y-%m-%dT%H:%M:%SZ', e.at_us / 1000000, 'unixepoch') AS at,
  e.level, e.kind, e.author, e.message, e.data
FROM event e LEFT JOIN run r ON r.seq = e.run_seq;
