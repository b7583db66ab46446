// The segment of the documentation, and everything that can be wrong with one.
#include "store/segment_reader.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/hash.hpp"

namespace diopter::store {
namespace {

// docs/run_store.md shows these four lines.
const std::string kGolden =
    "820e61ae "
    "{\"t\":\"segment\",\"v\":1,\"batch\":\"01KAN5T0000000000000000001\",\"writer\":\"01KAN5V0000000000000000002\","
    "\"segment\":7,\"n\":412,\"at\":1764000000000000}\n"
    "b0e89581 "
    "{\"t\":\"metric\",\"n\":413,\"at\":1764000000100000,\"run\":\"01KAN5W0000000000000000003\",\"step\":0,\"m\":{"
    "\"kl\":0.0625,\"logit_diff\":\"NaN\"}}\n"
    "415135b8 {\"t\":\"commit\",\"n\":414,\"at\":1764000000100007,\"run\":\"01KAN5W0000000000000000003\"}\n"
    "92337b63 "
    "{\"t\":\"seal\",\"n\":415,\"at\":1764000000100011,\"records\":3,\"sha256\":"
    "\"22150b0f9693a5221134abcf288efe27902e17588d9af566dc131ac640a5e5f2\"}\n";

std::string segment_line(int n = 1, int v = 1) {
  return spool_line("{\"t\":\"segment\",\"v\":" + std::to_string(v) +
                    ",\"batch\":\"B\",\"writer\":\"W\",\"segment\":1,\"n\":" + std::to_string(n) + ",\"at\":5}");
}
std::string line(const std::string& type, int n, const std::string& more = {}) {
  return spool_line("{\"t\":\"" + type + "\",\"n\":" + std::to_string(n) + ",\"at\":5" + more + "}");
}
std::string sealed(const std::string& body, int n, int records) {
  return body +
         line("seal", n, ",\"records\":" + std::to_string(records) + ",\"sha256\":\"" + base::sha256(body) + "\"");
}

std::string why_bad(const std::string& bytes) {
  try {
    read_sealed_segment(bytes);
  } catch (const BadSegment& error) {
    return error.what();
  }
  return "it is good";
}

TEST(Segment, TheFourLinesOfTheDocumentation) {
  const Segment segment = read_sealed_segment(kGolden);
  EXPECT_EQ(segment.batch, "01KAN5T0000000000000000001");
  EXPECT_EQ(segment.writer, "01KAN5V0000000000000000002");
  EXPECT_EQ(segment.number, 7);
  EXPECT_EQ(segment.first_n, 412);
  EXPECT_EQ(segment.next_n, 416);
  EXPECT_EQ(segment.records, 3);
  ASSERT_EQ(segment.groups.size(), 1u);
  ASSERT_EQ(segment.groups[0].size(), 1u);
  EXPECT_EQ(segment.groups[0][0].run, "01KAN5W0000000000000000003");
  EXPECT_EQ(segment.groups[0][0].body["m"]["kl"], 0.0625);
  EXPECT_TRUE(std::isnan(number_from(segment.groups[0][0].body["m"]["logit_diff"])));
}

TEST(Segment, EachWayToBeWrongHasItsSentence) {
  const std::string start = segment_line(), group = line("heartbeat", 2) + line("commit", 3);
  EXPECT_EQ(why_bad(sealed(start + group, 4, 3)), "it is good");
  EXPECT_EQ(why_bad(start + group), "line 4: the seal is missing");
  EXPECT_EQ(why_bad(""), "line 1: the seal is missing");
  EXPECT_EQ(why_bad((start + group).substr(0, start.size() + 10)), "line 2: it is cut short");
  EXPECT_EQ(why_bad(sealed(start + line("heartbeat", 2), 3, 2)), "line 3: it ends inside a group");
  EXPECT_EQ(why_bad(sealed(start + group, 4, 2)), "line 4: the seal counts other records");
  EXPECT_EQ(why_bad(start + group + line("seal", 4, ",\"records\":3,\"sha256\":\"00\"")),
            "line 4: the seal has another hash");
  EXPECT_EQ(why_bad(sealed(start + group, 4, 3) + "x\n"), "line 5: something follows the seal");
  EXPECT_EQ(why_bad(sealed(start + line("heartbeat", 3) + line("commit", 4), 5, 3)),
            "line 2: record 3 follows record 1");
  EXPECT_EQ(why_bad(sealed(start + line("commit", 2) + line("heartbeat", 2), 3, 3)),
            "line 3: record 2 follows record 2");
  EXPECT_EQ(why_bad(sealed(start + line("telepathy", 2) + line("commit", 3), 4, 3)),
            "line 2: unknown record type 'telepathy': a newer diopter wrote it");
  EXPECT_EQ(why_bad(sealed(segment_line(1, 2) + group, 4, 3)),
            "line 1: its format version is 2, expected 1: a newer diopter wrote it");
  EXPECT_EQ(why_bad(sealed(group, 4, 2)), "line 1: the first record is not a segment record");
  EXPECT_EQ(why_bad(sealed(start + segment_line(2), 3, 2)), "line 2: a second segment record");
  EXPECT_EQ(why_bad(start + "nonsense\n"), "line 2: a line is not '<checksum> <JSON>'");
  EXPECT_EQ(why_bad(start + spool_line("[1,2,3]")), "line 2: a record is not a JSON object");
  EXPECT_EQ(why_bad(start + spool_line("{\"t\":\"commit\",\"n\":2.5,\"at\":0}")),
            "line 2: a record has no integer 'n'");
  EXPECT_EQ(why_bad(start + line("metric", 2, ",\"run\":7")), "line 2: a run id is not text");
  std::string flipped = sealed(start + group, 4, 3);
  flipped[start.size() + 20] ^= 1;
  EXPECT_EQ(why_bad(flipped), "line 2: wrong checksum");
}

TEST(Segment, AnOpenOneCountsUpToItsLastWholeGroup) {
  const std::string whole = segment_line() + line("heartbeat", 2) + line("commit", 3);
  const std::string bytes = whole + line("metric", 4, ",\"run\":\"R\"") + line("commit", 5).substr(0, 12);
  const Segment segment = read_open_segment(bytes);
  EXPECT_EQ(segment.groups.size(), 1u);
  EXPECT_EQ(segment.used_bytes, whole.size());
  EXPECT_EQ(segment.next_n, 4);
  EXPECT_EQ(segment.records, 3);
  EXPECT_TRUE(segment.torn);
  EXPECT_FALSE(read_open_segment(whole).torn);
  EXPECT_EQ(read_open_segment(sealed(whole, 4, 3)).next_n, 5);  // it died before the rename
  for (const std::string& cut : {std::string(), std::string("820e61ae {"), segment_line().substr(0, 40)}) {
    EXPECT_EQ(read_open_segment(cut).used_bytes, 0u);  // it died before its first line was whole
    EXPECT_TRUE(read_open_segment(cut).groups.empty());
  }
  EXPECT_THROW(read_open_segment("820e61ae {}\n"), BadSegment);
}

TEST(Segment, EveryCutOfAnOpenOneGivesWholeGroups) {
  std::string bytes = segment_line();
  for (int i = 0; i < 5; ++i) bytes += line("metric", 2 + 2 * i, ",\"run\":\"R\"") + line("commit", 3 + 2 * i);
  for (std::size_t cut = segment_line().size(); cut <= bytes.size(); ++cut) {
    const Segment segment = read_open_segment(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(segment.next_n, 2 + 2 * static_cast<int>(segment.groups.size()));
    for (const Group& group : segment.groups) EXPECT_EQ(group.size(), 1u);
  }
}

TEST(Segment, ThousandsOfMutationsAreRefusedOrMeanTheSame) {
  std::uint64_t state = 42;
  const auto next = [&](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % below;
  };
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = kGolden;
    for (std::size_t i = 0, edits = 1 + next(4); i < edits && !bytes.empty(); ++i) {
      const std::size_t at = next(bytes.size());
      switch (next(4)) {
        case 0: bytes[at] = static_cast<char>(next(256)); break;
        case 1: bytes.erase(at, 1 + next(20)); break;
        case 2: bytes.insert(at, bytes.substr(next(bytes.size()), next(30))); break;
        default: bytes.resize(at + 1);
      }
    }
    if (next(3) == 0) {  // beyond the checksum: repair it, so that the JSON itself is the outside data
      std::string repaired;
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
        if (end - at > 9) repaired += spool_line(std::string_view(bytes).substr(at + 9, end - at - 9));
        at = end + 1;
      }
      bytes = repaired;
    }
    try {
      EXPECT_LE(read_sealed_segment(bytes).groups.size(), 4u);
    } catch (const BadSegment&) {
      ++refused;
    }
    try {
      read_open_segment(bytes);
    } catch (const BadSegment&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10'000);
}

TEST(SpoolFormat, NumbersComeBackBitForBit) {
  for (const double value :
       {0.0, -0.0, 1.0, -2.5, 5e-324, 1.7976931348623157e308, 0.1, 1e21, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    std::string text;
    append_number(text, value);
    const double back = number_from(Json::parse(text));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(back));
      continue;
    }
    EXPECT_EQ(std::signbit(back), std::signbit(value));
    EXPECT_EQ(back, value) << text;
  }
  EXPECT_THROW(number_from("nan"), BadSegment);
  EXPECT_THROW(number_from(true), BadSegment);
}

TEST(SpoolFormat, Base64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
  }
  EXPECT_THROW(from_base64("abc"), BadSegment);
  EXPECT_THROW(from_base64("ab!="), BadSegment);
  EXPECT_THROW(from_base64("a=b="), BadSegment);
}

TEST(SpoolFormat, SegmentNames) {
  EXPECT_EQ(sealed_segment_name(7), "000007.jsonl");
  EXPECT_EQ(sealed_segment_name(1'234'567), "1234567.jsonl");
  EXPECT_EQ(segment_number("000007.jsonl", ".jsonl"), 7);
  EXPECT_EQ(segment_number("1234567.open", ".open"), 1'234'567);
  for (const char* name :
       {"7.jsonl", "000000.jsonl", "00007x.jsonl", "-00007.jsonl", "000007.open", "000007.jsonl.tmp"}) {
    EXPECT_EQ(segment_number(name, ".jsonl"), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace diopter::store
