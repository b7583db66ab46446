#include "text/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/utf8.hpp"
#include "text/characters.hpp"
#include "text/unicode.hpp"
#include "text/unicode_tables.hpp"

namespace diopter::text {
namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// One walk over the pattern; what it makes is in `out_`.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (more()) item();
    return std::move(out_);
  }

 private:
  bool more() const { return at_ < pattern_.size(); }
  bool sees(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!sees(text)) return false;
    at_ += text.size();
    return true;
  }
  [[noreturn]] void fail(const std::string& why) const { throw PatternError{fmt::format("at byte {}: {}", at_, why)}; }

  void item() {
    const char c = pattern_[at_];
    if (c == '[') return set();
    if (c == '\\') return escape();
    if (c == '(') return group();
    if (c == '^' || c == '$') fail("anchors are not supported");
    if (take(".")) return void(out_ += "[^\\n]");
    if (c == '*' || c == '+' || c == '?' || c == '{') return quantifier();
    if (c == '|' || c == ')') return void(out_ += pattern_[at_++]);
    literal(one_character());
  }

  void group() {
    static constexpr std::string_view kOpenings[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"};
    if (at_ == 0 && take("(?i)")) return void(out_ += "(?i)");  // further on it would group what follows
    for (const auto opening : kOpenings) {
      if (take(opening)) return void(out_ += opening);
    }
    if (sees("(?") || sees("(*")) fail("this kind of group is not supported");
    ++at_;
    out_ += "(?:";
  }

  void quantifier() {
    if (pattern_[at_] != '{') {
      out_ += pattern_[at_++];
      if (more() && (pattern_[at_] == '+' || pattern_[at_] == '?')) out_ += pattern_[at_++];  // possessive, lazy
      return;
    }
    const std::size_t end = pattern_.find('}', at_);
    const std::string_view body = pattern_.substr(at_ + 1, end == std::string_view::npos ? end : end - at_ - 1);
    const auto digit_or_comma = [](char d) { return (d >= '0' && d <= '9') || d == ','; };
    const bool interval = end != std::string_view::npos && !body.empty() && body != "," &&
                          std::all_of(body.begin(), body.end(), digit_or_comma) &&
                          std::count(body.begin(), body.end(), ',') <= 1;
    if (!interval) fail("'{' must begin an interval such as {1,3}; write \\{ for the character");
    at_ = end + 1;
    if (more() && pattern_[at_] == '+') fail("an interval followed by + is not supported");
    out_ += body[0] == ',' ? fmt::format("{{0{}}}", body) : fmt::format("{{{}}}", body);
  }

  char32_t one_character() {
    const char32_t c = character_at(pattern_, at_);
    at_ += character_size(pattern_[at_]);
    return c;
  }

  void literal(char32_t c) {
    if (c < 0x80 && !std::isalnum(static_cast<int>(c))) out_ += fmt::format("\\x{{{:X}}}", static_cast<unsigned>(c));
    else append_character(out_, c);
  }

  // The members of a class named by an escape, for use in brackets; `negated` says whether it is their complement.
  bool named_class(std::string& members, bool& negated) {
    const char c = pattern_[at_ + 1];
    if (c == 's' || c == 'S') members = white_space(), at_ += 2;
    else if (c == 'd' || c == 'D') members = std::string("\\p{Nd}") + later_members("Nd"), at_ += 2;
    else if (c == 'p' || c == 'P') members = property();
    else return false;
    negated = (c == 'S' || c == 'D' || c == 'P') != negated_property_;
    negated_property_ = false;
    return true;
  }

  std::string property() {
    const std::size_t end = pattern_.find('}', at_);
    if (pattern_.substr(at_ + 2, 1) != "{" || end == std::string_view::npos) fail("expected \\p{NAME}");
    std::string name(pattern_.substr(at_ + 3, end - at_ - 3));
    negated_property_ = name.starts_with('^');
    if (negated_property_) name.erase(0, 1);
    const char* later = later_members(name);
    if (!later) {
      fail("the property '" + base::printable(name, 40) +
           "' is not supported; known: L Lu Ll Lt Lm Lo M N Nd Nl No P S");
    }
    at_ = end + 1;
    return "\\p{" + name + "}" + later;
  }

  char32_t escaped_character() {
    if (at_ + 1 >= pattern_.size()) fail("the pattern ends with a backslash");
    const char c = pattern_[at_ + 1];
    static constexpr std::string_view kLetters = "rntfv", kControls = "\r\n\t\f\v";
    if (const auto found = kLetters.find(c); found != std::string_view::npos) {
      at_ += 2;
      return static_cast<char32_t>(kControls[found]);
    }
    if (c == 'x' || c == 'u') return numeric_character(c);
    if (static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c))) {
      fail(fmt::format("the escape \\{} is not supported", base::printable(pattern_.substr(at_ + 1, 1))));
    }
    at_ += 2;
    return static_cast<char32_t>(c);
  }

  char32_t numeric_character(char kind) {
    const bool braces = kind == 'x' && pattern_.substr(at_ + 2, 1) == "{";
    const std::size_t begin = at_ + (braces ? 3 : 2);
    std::size_t end = begin;
    const std::size_t most = braces ? 6 : kind == 'u' ? 4 : 2;
    while (end < pattern_.size() && end - begin < most && is_hex(pattern_[end])) ++end;
    const bool closed = !braces || (end < pattern_.size() && pattern_[end] == '}');
    if (end == begin || !closed || (kind == 'u' && end - begin != 4)) fail("expected hexadecimal digits");
    const auto value = static_cast<char32_t>(std::stoul(std::string(pattern_.substr(begin, end - begin)), nullptr, 16));
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000) || (kind == 'x' && !braces && value >= 0x80)) {
      fail("this is not a character");
    }
    at_ = end + (braces ? 1 : 0);
    return value;
  }

  void escape() {
    std::string members;
    bool negated = false;
    if (at_ + 1 < pattern_.size() && named_class(members, negated)) {
      out_ += (negated ? "[^" : "[") + members + "]";
      return;
    }
    literal(escaped_character());
  }

  void set() {
    ++at_;
    out_ += take("^") ? "[^" : "[";
    set_members(0);
    out_ += "]";
  }

  // Up to the closing bracket. A set inside a set adds its members, unless it is a complement.
  void set_members(int depth) {
    bool first = true;
    for (;; first = false) {
      if (!more()) fail("the set is not closed");
      if (take("]")) {
        if (first) fail("the set is empty");
        return;
      }
      if (sees("&&")) fail("intersections of sets are not supported");
      if (sees("[:")) fail("POSIX classes are not supported");
      if (sees("[")) {
        if (sees("[^") || depth > 8) fail("a complement inside a set is not supported");
        ++at_;
        set_members(depth + 1);
        continue;
      }
      member();
    }
  }

  void member() {
    std::string members;
    bool negated = false;
    if (sees("\\") && at_ + 1 < pattern_.size() && named_class(members, negated)) {
      if (negated) fail("a complement inside a set is not supported");
      out_ += members;
      return;
    }
    const char32_t low = sees("\\") ? escaped_character() : one_character();
    set_character(low);
    // A minus before the closing bracket, or before another set, is itself.
    if (!sees("-") || pattern_.substr(at_ + 1).starts_with("]") || pattern_.substr(at_ + 1).starts_with("[")) return;
    ++at_;
    std::string ignored;
    const std::size_t before = at_;
    if (sees("\\") && at_ + 1 < pattern_.size() && named_class(ignored, negated)) {
      at_ = before;
      fail("a range cannot end with a class");
    }
    if (!more()) fail("the set is not closed");
    const char32_t high = sees("\\") ? escaped_character() : one_character();
    if (high < low) fail("the range is empty");
    out_ += '-';
    set_character(high);
  }

  void set_character(char32_t c) { out_ += fmt::format("\\x{{{:X}}}", static_cast<unsigned>(c)); }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool negated_property_ = false;
  std::string out_;
};

}  // namespace

std::string pcre2_pattern(std::string_view oniguruma) { return Translation(oniguruma).run(); }

std::string escaped_pattern(std::string_view literal) {
  std::string out;
  for (const char32_t c : base::code_points(literal)) out += fmt::format("\\x{{{:X}}}", static_cast<unsigned>(c));
  return out;
}

std::shared_ptr<const Regex> read_pattern(const Field& field) {
  field.only({"String", "Regex"});
  const bool literal = field.has("String");
  const Field value = field.at(literal ? "String" : "Regex");
  try {
    auto regex = std::make_shared<const Regex>(literal ? escaped_pattern(value.text()) : pcre2_pattern(value.text()),
                                               Regex::Source::File);
    if (regex->matches_empty()) value.refuse("expected a pattern that matches at least one character");
    return regex;
  } catch (const PatternError& error) {
    value.refuse("the pattern is not supported " + error.message);
  } catch (const RegexError& error) {
    value.refuse(std::string("PCRE2 does not compile it: ") + error.what());
  }
}

}  // namespace diopter::text
