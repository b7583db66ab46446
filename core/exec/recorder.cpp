#include "exec/recorder.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "exec/payload_copy.hpp"
#include "exec/record_text.hpp"
#include "exec/safetensors_header.hpp"
#include "exec/tensor_stats.hpp"
#include "store/optional_json.hpp"
#include "store/spool_format.hpp"

namespace diopter::exec {
namespace {

Json started_body(const RunStart& start) {
  using store::or_null;
  Json inputs = Json::array();
  for (const auto& [role, sha256] : start.inputs) inputs.push_back({{"role", role}, {"sha256", sha256}});
  return {{"item", or_null(start.item)},
          {"entry", or_null(start.entry)},
          {"attempt", start.attempt},
          {"retry_of", or_null(start.retry_of)},
          {"parent", or_null(start.parent)},
          {"kind", start.kind},
          {"kind_version", start.kind_version},
          {"name", or_null(start.name)},
          {"note", or_null(start.note)},
          {"model", or_null(start.model)},
          {"seed", or_null(start.seed)},
          {"dtype", or_null(start.dtype)},
          {"backend", or_null(start.backend)},
          {"fingerprint", start.fingerprint},
          {"plugin", or_null(start.plugin)},
          {"source", or_null(start.source)},
          {"environment", or_null(start.environment)},
          {"config", start.config},
          {"swept", start.swept},
          {"tags", start.tags},
          {"inputs", inputs}};
}

const char* word(RunStatus status) {
  switch (status) {
    case RunStatus::Succeeded: return "succeeded";
    case RunStatus::Failed: return "failed";
    case RunStatus::Cancelled: return "cancelled";
    case RunStatus::Timeout: return "timeout";
  }
  return "failed";
}

const char* word(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warning: return "warning";
    case Level::Error: return "error";
  }
  return "error";
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json ended_body(const RunEnd& end) {
  using store::or_null;
  return {{"status", word(end.status)},
          {"exit_code", or_null(end.exit_code)},
          {"signal", or_null(end.signal)},
          {"error_type", text_or_null(end.error_type)},
          {"error_message", text_or_null(end.message)},
          {"error_detail", text_or_null(end.detail)},
          {"wall_ms", or_null(end.wall_ms)},
          {"cpu_ms", or_null(end.cpu_ms)},
          {"peak_rss", or_null(end.peak_rss)},
          {"peak_vram", or_null(end.peak_vram)}};
}

void require_shape(const TensorRecord& tensor) {
  const std::size_t element = dtype_bytes(tensor.dtype);
  DIOPTER_CHECK(element != 0, "tensor '" + tensor.name + "' has dtype '" + tensor.dtype + "'");
  DIOPTER_CHECK(tensor.dims.is_array() && tensor.dims.size() == tensor.shape.size(),
                "tensor '" + tensor.name + "': one dims object per axis");
  std::size_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= static_cast<std::size_t>(size);
  DIOPTER_CHECK(count * element == tensor.bytes.size(), "tensor '" + tensor.name + "': shape and bytes disagree");
}

}  // namespace

Recorder::Recorder(SpoolWriter& writer, const RunStart& start)
    : writer_(writer), run_id_(start.run_id), run_member_("\"run\":\"" + start.run_id + '"') {
  DIOPTER_CHECK(run_id_.size() == 26, "a run id is a ULID, got '" + run_id_ + "'");
  append({{"run_started", members_of(started_body(start))}});
}

Recorder::~Recorder() {
  if (ended_) return;
  try {
    end({.status = RunStatus::Failed,
         .error_type = "abandoned",
         .message = "the run stopped without saying how it went"});
  } catch (const std::exception&) {
    // The writer keeps saying that it cannot write; without run_ended the run becomes `crashed` when the writer is
    // gone.
  }
}

void Recorder::append(std::vector<SpoolRecord> group) {
  DIOPTER_CHECK(!ended_, "something was recorded after the end of run " + run_id_);
  for (SpoolRecord& record : group)
    record.members = record.members.empty() ? run_member_ : run_member_ + ',' + record.members;
  writer_.append(group, run_id_);
}

void Recorder::claim(std::string_view what, const std::string& name, std::int64_t step) {
  require_name(what, name);
  const std::lock_guard lock(mutex_);
  if (claimed_.emplace(std::string(what) + ' ' + name, step).second) return;
  throw base::UserError(base::Exit::Failed,
                        std::string(what) + " '" + name + "' was logged twice" +
                            (step != 0 ? " at step " + std::to_string(step) : std::string()),
                        {}, "run.output_twice");
}

std::string Recorder::next_file(const std::string& suffix) { return run_id_ + '.' + std::to_string(++files_) + suffix; }

void Recorder::metric(std::string_view name, double value, std::int64_t step, std::optional<double> stderr_value) {
  const std::lock_guard lock(mutex_);  // held while appending: steps enter the spool in the order they were closed
  std::string closed = metrics_.add(name, value, step, stderr_value);
  if (!closed.empty()) append({{"metric", std::move(closed)}});
}

SpoolRecord Recorder::tensor_record(const TensorRecord& tensor) {
  require_shape(tensor);
  claim("tensor", tensor.name, tensor.step);
  const TensorStats stats = tensor_stats(tensor.dtype, tensor.bytes);
  Json body = {{"name", tensor.name},
               {"step", tensor.step},
               {"dtype", tensor.dtype},
               {"shape", tensor.shape},
               {"dims", tensor.dims},
               {"nbytes", tensor.bytes.size()},
               {"sha256", base::sha256(tensor.bytes)},
               {"vmin", store::or_null(stats.vmin)},
               {"vmax", store::or_null(stats.vmax)},
               {"nonfinite", stats.nonfinite}};
  if (tensor.bytes.size() <= store::kInlineBytes) {
    return {"tensor", members_of(body) + ",\"data\":\"" + store::base64(tensor.bytes) + '"'};
  }
  const std::string header = safetensors_header(tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size());
  const std::string file = next_file(".safetensors");
  writer_.write_payload(file, {header, tensor.bytes});
  body["file"] = file;
  body["to"] = "tensors/" + file;
  body["offset"] = header.size();
  body["file_bytes"] = header.size() + tensor.bytes.size();
  body["file_sha256"] = base::Sha256().update(header).update(tensor.bytes).hex();
  return {"tensor", members_of(body)};
}

void Recorder::tensor(const TensorRecord& tensor) { append({tensor_record(tensor)}); }

SpoolRecord Recorder::document_record(const std::string& name, const std::string& type, const Json& doc) {
  claim("output", name);
  Json body = {{"name", name}, {"type", type}};
  std::string text = '{' + members_of({{"doc", doc}}) + '}';
  text = text.substr(7, text.size() - 8);  // the document alone, without {"doc": and }
  if (text.size() <= store::kInlineBytes) return {"output", members_of(body) + ",\"doc\":" + text};
  const std::string file = next_file(".json");
  writer_.write_payload(file, {text});
  body["file"] = file;
  body["to"] = "outputs/" + file_name_of(name) + '.' + file;
  body["file_bytes"] = text.size();
  body["file_sha256"] = base::sha256(text);
  return {"output", members_of(body)};
}

void Recorder::output(const std::string& name, const std::string& type, const Json& doc) {
  append({document_record(name, type, doc)});
}

void Recorder::table(const std::string& name, const Json& doc, const std::vector<TensorRecord>& columns) {
  std::vector<SpoolRecord> group;
  for (const TensorRecord& column : columns) group.push_back(tensor_record(column));
  group.push_back(document_record(name, "table", doc));
  append(std::move(group));
}

// "log.txt" stays "log.txt"; a name that cannot be a file name, or is that of a folder of ours, gets a number.
std::string Recorder::place_of(const std::string& name) const {
  const std::string plain = file_name_of(name);
  const bool free = plain == name && name != "tensors" && name != "outputs" && name != "files";
  return free ? name : "files/" + plain + '.' + std::to_string(files_);
}

void Recorder::file(const std::string& name, const std::string& kind, const std::filesystem::path& from,
                    Handover handover) {
  claim("file", name);
  const std::string file = next_file("." + file_name_of(name));
  const Copied copied = bring_payload(from, writer_.directory() / file, handover == Handover::Move);
  append({{"artifact", members_of({{"name", name},
                                   {"kind", kind},
                                   {"file", file},
                                   {"to", place_of(name)},
                                   {"file_bytes", copied.bytes},
                                   {"file_sha256", copied.sha256}})}});
}

void Recorder::directory(const std::string& name, const std::string& type, const std::filesystem::path& from,
                         Handover handover) {
  claim("output", name);
  const std::string file = next_file("." + file_name_of(name));
  const Copied copied = bring_payload(from, writer_.directory() / file, handover == Handover::Move);
  append({{"output", members_of({{"name", name},
                                 {"type", type},
                                 {"file", file},
                                 {"to", "outputs/" + place_of(name)},
                                 {"directory", true},
                                 {"file_bytes", copied.bytes},
                                 {"file_sha256", copied.sha256}})}});
}

void Recorder::event(Level level, const std::string& kind, const std::string& message, const Json& data) {
  require_name("event", kind);
  append({{"event", members_of({{"level", word(level)}, {"kind", kind}, {"message", message}, {"data", data}})}});
}

void Recorder::end(const RunEnd& end) {
  const std::lock_guard lock(mutex_);
  if (std::string open = metrics_.take(); !open.empty()) append({{"metric", std::move(open)}});
  append({{"run_ended", members_of(ended_body(end))}});
  ended_ = true;
}

}  // namespace diopter::exec
