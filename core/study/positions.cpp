#include "study/positions.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/hints.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

constexpr std::string_view kForms =
    "\"all\", \"prompt\", \"generated\", \"last\", \"from:5\", sums such as \"last+generated\", an index, a list of "
    "indices, "
    "or { token = \" :\" }";

std::optional<PositionTerm> read_word(std::string_view word, const Node& node, Problems& problems) {
  PositionTerm term;
  if (word == "all") term.kind = PositionTerm::Kind::All;
  else if (word == "prompt") term.kind = PositionTerm::Kind::Prompt;
  else if (word == "generated") term.kind = PositionTerm::Kind::Generated;
  else if (word == "last") term.kind = PositionTerm::Kind::Last;
  else if (word.starts_with("from:")) {
    term.kind = PositionTerm::Kind::From;
    const auto digits = word.substr(5);
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), term.first);
    if (status != std::errc() || end != digits.data() + digits.size()) {
      problems.error(node.span, fmt::format("'{}' does not say from which position; for example \"from:5\"", word));
      return std::nullopt;
    }
  } else {
    problems
        .error(node.span, fmt::format("'{}' does not name positions{}", word,
                                      base::did_you_mean(word, {"all", "prompt", "generated", "last", "from:0"})))
        .help = fmt::format("positions are {}", kForms);
    return std::nullopt;
  }
  return term;
}

std::optional<PositionTerm> read_token(const Node& node, Problems& problems) {
  PositionTerm term;
  term.kind = PositionTerm::Kind::Token;
  const std::size_t before = problems.added();
  TableReader reader(node, "{ token = ... }", problems);
  if (reader.require("token", "{ token = \" :\" }") != nullptr) term.token = reader.string("token").value_or("");
  term.occurrence = reader.integer("occurrence", std::numeric_limits<std::int64_t>::min()).value_or(1);
  term.offset = reader.integer("offset", std::numeric_limits<std::int64_t>::min()).value_or(0);
  if (term.occurrence == 0) {
    problems.error(node.find("occurrence")->value.span, "'occurrence' is 0, but counts from 1 (or from the end: -1)");
  }
  reader.finish();
  if (problems.added() != before) return std::nullopt;
  return term;
}

base::Json term_json(const PositionTerm& term) {
  switch (term.kind) {
    case PositionTerm::Kind::All: return "all";
    case PositionTerm::Kind::Prompt: return "prompt";
    case PositionTerm::Kind::Generated: return "generated";
    case PositionTerm::Kind::Last: return "last";
    case PositionTerm::Kind::From: return fmt::format("from:{}", term.first);
    case PositionTerm::Kind::Indices: return term.indices;
    case PositionTerm::Kind::Token:
      return {{"token", term.token}, {"occurrence", term.occurrence}, {"offset", term.offset}};
  }
  return nullptr;
}

}  // namespace

Positions Positions::last() {
  PositionTerm term;
  term.kind = PositionTerm::Kind::Last;
  return {{term}};
}

std::optional<Positions> read_positions(const Node& node, Problems& problems) {
  Positions out;
  out.terms.clear();
  if (node.is(Node::Type::Integer)) {
    out.terms.push_back({PositionTerm::Kind::Indices, {node.integer}, 0, {}, 1, 0});
    return out;
  }
  if (node.is(Node::Type::Array)) {
    PositionTerm term{PositionTerm::Kind::Indices, {}, 0, {}, 1, 0};
    for (const auto& item : node.items) {
      if (!item.is(Node::Type::Integer)) {
        problems.error(item.span,
                       fmt::format("a position is {}, which is {}, not a whole number", brief(item), type_name(item)));
        return std::nullopt;
      }
      term.indices.push_back(item.integer);
    }
    if (term.indices.empty()) {
      problems.error(node.span, "the list of positions is empty, so nothing is selected");
      return std::nullopt;
    }
    out.terms.push_back(std::move(term));
    return out;
  }
  if (node.is(Node::Type::Table)) {
    const auto term = read_token(node, problems);
    if (!term) return std::nullopt;
    out.terms.push_back(*term);
    return out;
  }
  if (!node.is(Node::Type::String)) {
    problems.error(node.span, fmt::format("positions are {}, which is {}", brief(node), type_name(node))).help =
        fmt::format("positions are {}", kForms);
    return std::nullopt;
  }
  std::string_view rest = node.text;
  for (;;) {
    const std::size_t plus = rest.find('+');
    const auto term = read_word(rest.substr(0, plus), node, problems);
    if (!term) return std::nullopt;
    out.terms.push_back(*term);
    if (plus == std::string_view::npos) return out;
    rest.remove_prefix(plus + 1);
  }
}

base::Json to_json(const Positions& positions) {
  if (positions.terms.size() == 1) return term_json(positions.terms.front());
  std::string sum;  // only words can be added up
  for (const auto& term : positions.terms) sum += (sum.empty() ? "" : "+") + term_json(term).get<std::string>();
  return sum;
}

}  // namespace diopter::study
