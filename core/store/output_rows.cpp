// metric, tensor, output and artifact records.
#include <cmath>

#include "base/hash.hpp"
#include "store/optional_json.hpp"
#include "store/payload_files.hpp"
#include "store/segment_rows.hpp"

namespace diopter::store {

void SegmentRows::metric(const Record& record, std::int64_t seq) {
  const auto step = record.body.at("step").get<std::int64_t>();
  for (const auto& [name, cell] : record.body.at("m").items()) {
    const bool has_error = cell.is_array();
    const double value = number_from(has_error ? cell.at(0) : cell);
    std::optional<double> error;
    if (has_error) error = number_from(cell.at(1));
    db_.prepare(
           "INSERT INTO metric(run_seq, name, step, value, is_nan, stderr) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING")
        .bind(seq, name, step, value, std::isnan(value), error)
        .run();
  }
}

void SegmentRows::tensor(const Record& record, std::int64_t seq) {
  const Json& body = record.body;
  const auto nbytes = body.at("nbytes").get<std::int64_t>();
  const std::string name = body.at("name"), sha256 = body.at("sha256");
  Value data, artifact_id, offset;
  if (body.contains("data")) {
    Blob blob{from_base64(body.at("data").get_ref<const std::string&>())};
    if (static_cast<std::int64_t>(blob.bytes.size()) != nbytes || base::sha256(blob.bytes) != sha256) {
      throw BadSegment("the payload of tensor '" + name + "' is not what its record says");
    }
    data = std::move(blob);
  } else {
    artifact_id = artifact(seq, record, body.at("to"), "tensors");
    offset = body.at("offset").get<std::int64_t>();
  }
  db_.prepare(
         "INSERT INTO tensor(run_seq, name, step, dtype, shape, dims, nbytes, sha256, vmin, vmax, nonfinite, "
         "artifact_id,"
         " byte_offset, data) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(seq, name, maybe_integer(body, "step").value_or(0), body.at("dtype").get<std::string>(),
            body.at("shape").dump(), body.at("dims").dump(), nbytes, sha256, maybe_real(body, "vmin"),
            maybe_real(body, "vmax"), maybe_integer(body, "nonfinite").value_or(0), artifact_id, offset, data)
      .run();
}

void SegmentRows::output(const Record& record, std::int64_t seq) {
  const Json& body = record.body;
  Value doc, artifact_id;
  if (body.contains("doc")) doc = body.at("doc").dump();
  else artifact_id = artifact(seq, record, body.at("to"), body.at("type"));
  db_.prepare("INSERT INTO output(run_seq, name, type, doc, artifact_id) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(seq, body.at("name").get<std::string>(), body.at("type").get<std::string>(), doc, artifact_id)
      .run();
}

std::int64_t SegmentRows::artifact(std::int64_t seq, const Record& record, const std::string& name,
                                   const std::string& kind) {
  const Json& body = record.body;
  const std::string path = artifact_path(record.run, body.at("to").get<std::string>()).generic_string();
  db_.prepare(
         "INSERT INTO artifact(run_seq, name, kind, path, bytes, sha256, created_at_us) VALUES (?,?,?,?,?,?,?)"
         " ON CONFLICT DO NOTHING")
      .bind(seq, name, kind, path, body.at("file_bytes").get<std::int64_t>(), body.at("file_sha256").get<std::string>(),
            record.at)
      .run();
  Statement found = db_.prepare("SELECT id FROM artifact WHERE run_seq = ? AND name = ?");
  if (!found.bind(seq, name).step()) throw BadSegment("an artifact is missing");
  return found.integer(0);
}

}  // namespace diopter::store
