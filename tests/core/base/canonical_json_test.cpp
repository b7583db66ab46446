#include "base/canonical_json.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <limits>

#include "base/hash.hpp"
#include "refusal.hpp"

namespace diopter::base {
namespace {

using testing::HasSubstr;

TEST(CanonicalJson, GoldenFingerprint) {
  Json document =
      Json::parse(R"({"seed": 0, "params": {"top_k": 10, "normalize": true, "hook": "blocks.6.hook_resid_pre",
    "coefficient": 2.0}, "needs": [], "model": {"transforms": [], "dtype": "float32", "compute": "float32", "bos": "family"},
    "kind_version": 3, "kind": "steering", "backend": "cpu"})");
  document["inputs"] = {{"prompts", std::string(64, 'b')}, {"model", std::string(64, 'a')}};
  EXPECT_EQ(sha256("diopter.fingerprint/1\n" + canonical_json(document)),
            "beaeebbc79cbba67c5839d793e411abc9ad5f9722209932bba3c12b0c3c61046");
}

TEST(CanonicalJson, KeysSortBytewiseAndOnlyFourKindsOfCharactersAreEscaped) {
  EXPECT_EQ(canonical_json({{"b", 1}, {"B", 2}, {"\u00e9", 3}, {"", 4}}), "{\"\":4,\"B\":2,\"b\":1,\"\u00e9\":3}");
  EXPECT_EQ(canonical_json("\"\\/\b\f\n\r\t\x01\x1f\x7f\u2028"),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\u2028\"");
  EXPECT_EQ(canonical_json({nullptr, true, false, Json::array(), Json::object()}), "[null,true,false,[],{}]");
}

TEST(CanonicalJson, IntegersAreDecimal) {
  EXPECT_EQ(canonical_json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(canonical_json(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(CanonicalJson, FloatsAreShortest) {
  EXPECT_EQ(shortest(2.0), "2.0");
  EXPECT_EQ(shortest(-0.0), "0.0");
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(1e-7), "1e-07");
  EXPECT_EQ(shortest(1e22), "1e+22");
  EXPECT_EQ(shortest(123456789.0), "123456789.0");
  EXPECT_EQ(shortest(5e-324), "5e-324");
  EXPECT_EQ(shortest(-1.7976931348623157e308), "-1.7976931348623157e+308");
}

TEST(CanonicalJson, RefusesWhatHasNoForm) {
  EXPECT_THAT(refusal(Exit::Usage, [] { canonical_json({{"x", std::nan("")}}); }), HasSubstr("not finite"));
  EXPECT_THAT(refusal(Exit::Usage, [] { canonical_json(HUGE_VAL); }), HasSubstr("not finite"));
  EXPECT_THAT(refusal(Exit::Usage, [] { canonical_json("ab\xff"); }), HasSubstr("not UTF-8 at byte 2"));
}

TEST(PlainJson, NamesWhatIsNotFinite) {
  EXPECT_EQ(plain_json({{"a", {std::nan(""), HUGE_VAL, -HUGE_VAL, 0.1}}}),
            R"({"a":["NaN","Infinity","-Infinity",0.1]})");
}

RC_GTEST_PROP(CanonicalJson, FloatsRoundTrip, (std::uint64_t bits)) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  RC_PRE(std::isfinite(value));
  RC_ASSERT(std::strtod(shortest(value).c_str(), nullptr) == value);
}

RC_GTEST_PROP(CanonicalJson, IsReadBackAsTheSameValue, (const std::map<std::string, std::vector<int>>& content)) {
  Json document = Json::object();
  for (const auto& [key, values] : content) {
    std::string ascii = key;
    for (char& c : ascii) c &= 0x7f;
    document[ascii] = values;
  }
  const std::string text = canonical_json(document);
  RC_ASSERT(Json::parse(text) == document);
  RC_ASSERT(canonical_json(Json::parse(text)) == text);
}

}  // namespace
}  // namespace diopter::base
