#include "store/segment_reader.hpp"

#include "base/hash.hpp"

namespace diopter::store {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 62;  // of counters and clocks: adding one stays defined

Record parse(std::string_view line) {
  Record record;
  record.body = Json::parse(checked_json(line), nullptr, false);
  if (!record.body.is_object()) throw BadSegment("a record is not a JSON object");
  const auto integer = [&](const char* key) {
    const auto at = record.body.find(key);
    if (at == record.body.end() || !at->is_number_integer())
      throw BadSegment(std::string("a record has no integer '") + key + "'");
    const auto value = at->get<std::int64_t>();
    if (value < 0 || value > kLargest) throw BadSegment(std::string("a record's '") + key + "' is out of range");
    return value;
  };
  const auto type = record.body.find("t");
  if (type == record.body.end() || !type->is_string()) throw BadSegment("a record has no type");
  record.type = *type;
  if (!is_record_type(record.type)) {
    throw BadSegment("unknown record type '" + record.type + "': a newer diopter wrote it");
  }
  record.n = integer("n");
  record.at = integer("at");
  if (const auto run = record.body.find("run"); run != record.body.end()) {
    if (!run->is_string()) throw BadSegment("a run id is not text");
    record.run = *run;
  }
  return record;
}

class Assembler {
 public:
  // Returns false after the seal. `before` are all bytes of the segment before this line.
  bool take(std::string_view line, std::string_view before) {
    Record record = parse(line);
    if (segment.records == 0) {
      start(record);
    } else if (record.n != segment.next_n) {
      throw BadSegment("record " + std::to_string(record.n) + " follows record " + std::to_string(segment.next_n - 1));
    }
    segment.next_n = record.n + 1;
    if (record.type == "seal") {
      seal(record, before);
      return false;
    }
    ++segment.records;
    if (record.type == "commit") {
      segment.groups.push_back(std::move(pending));
      pending.clear();
    } else if (segment.records > 1) {
      if (record.type == "segment") throw BadSegment("a second segment record");
      pending.push_back(std::move(record));
    }
    return true;
  }

  Segment segment;
  Group pending;

 private:
  void start(const Record& record) {
    if (record.type != "segment") throw BadSegment("the first record is not a segment record");
    const Json& body = record.body;
    if (body.value("v", Json()) != kSpoolVersion) {
      throw BadSegment("its format version is " + body.value("v", Json()).dump() +
                       ", expected 1: a newer diopter wrote it");
    }
    try {
      segment.batch = body.at("batch");
      segment.writer = body.at("writer");
      segment.number = body.at("segment");
    } catch (const Json::exception&) {
      throw BadSegment("its segment record names no batch, writer or number");
    }
    segment.first_n = record.n;
  }

  void seal(const Record& record, std::string_view before) {
    if (!pending.empty()) throw BadSegment("it ends inside a group");
    if (record.body.value("records", Json()) != segment.records) throw BadSegment("the seal counts other records");
    segment.sha256 = base::sha256(before);
    if (record.body.value("sha256", Json()) != segment.sha256) throw BadSegment("the seal has another hash");
  }
};

[[noreturn]] void fail_at_line(std::size_t line, const std::string& what) {
  throw BadSegment("line " + std::to_string(line) + ": " + what);
}

}  // namespace

Segment read_sealed_segment(std::string_view bytes) {
  Assembler assembler;
  std::size_t at = 0, line = 0;
  for (bool more = true; more;) {
    ++line;
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos)
      fail_at_line(line, at == bytes.size() ? "the seal is missing" : "it is cut short");
    try {
      more = assembler.take(bytes.substr(at, end - at), bytes.substr(0, at));
    } catch (const BadSegment& error) {
      fail_at_line(line, error.what());
    }
    at = end + 1;
  }
  if (at != bytes.size()) fail_at_line(line + 1, "something follows the seal");
  assembler.segment.used_bytes = at;
  return std::move(assembler.segment);
}

Segment read_open_segment(std::string_view bytes) {
  Assembler assembler;
  Segment& segment = assembler.segment;
  std::size_t at = 0;
  std::int64_t whole_records = 0, whole_next = 0;
  for (bool more = true; more;) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) break;
    const std::size_t groups = segment.groups.size();
    const bool first = segment.records == 0;
    try {
      more = assembler.take(bytes.substr(at, end - at), bytes.substr(0, at));
    } catch (const BadSegment& error) {
      if (first) fail_at_line(1, error.what());
      break;  // from here on nothing can be trusted
    }
    at = end + 1;
    if (first || !more || segment.groups.size() > groups) {
      segment.used_bytes = at;
      whole_records = segment.records;
      whole_next = segment.next_n;
    }
  }
  segment.torn = segment.used_bytes != bytes.size();
  segment.records = whole_records;
  segment.next_n = whole_next;
  segment.sha256 = base::sha256(bytes.substr(0, segment.used_bytes));
  return std::move(segment);
}

}  // namespace diopter::store
