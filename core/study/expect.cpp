#include "study/expect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "study/run_config.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

// "layer=0" -> selector; nothing when it is not of that form.
std::optional<OutputRef::Selector> read_selector(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto name = trimmed(text.substr(0, equals)), value = trimmed(text.substr(equals + 1));
  if (!is_name(name) || value.empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (status == std::errc() && end == value.data() + value.size()) return OutputRef::Selector{name, number};
  return OutputRef::Selector{name, std::string(value)};
}

bool read_cell(OutputRef& out, std::string_view inside) {
  if (trimmed(inside).empty()) return false;
  for (;;) {
    const std::size_t comma = inside.find(',');
    auto selector = read_selector(inside.substr(0, comma));
    if (!selector) return false;
    const auto same = [&](const auto& s) { return s.first == selector->first; };
    if (std::any_of(out.cell.begin(), out.cell.end(), same)) return false;
    out.cell.push_back(std::move(*selector));
    if (comma == std::string_view::npos) return true;
    inside.remove_prefix(comma + 1);
  }
}

// { "model.source" = "gpt2" } and { model = { source = "gpt2" } } mean the same.
void flatten(const Node& table, const std::string& prefix, std::vector<std::pair<std::string, base::Json>>& out) {
  for (const auto& m : table.members) {
    const std::string key = prefix.empty() ? m.key : prefix + "." + m.key;
    if (m.value.is(Node::Type::Table)) {
      flatten(m.value, key, out);
    } else {
      out.emplace_back(key, to_json(m.value));
    }
  }
}

}  // namespace

std::optional<OutputRef> read_output_ref(const Node& value, Problems& problems) {
  const auto refuse = [&] {
    problems.error(value.span,
                   fmt::format("{} does not name an output; write \"RUN/OUTPUT\" or \"RUN/OUTPUT[layer=0,pos=-1]\"",
                               brief(value)));
    return std::nullopt;
  };
  if (!value.is(Node::Type::String)) return refuse();
  OutputRef out;
  out.written = value.text;
  std::string_view rest = value.text;
  if (const std::size_t open = rest.find('['); open != std::string_view::npos) {
    if (!rest.ends_with(']') || !read_cell(out, rest.substr(open + 1, rest.size() - open - 2))) return refuse();
    rest = rest.substr(0, open);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !is_name(rest.substr(0, slash)) || !is_name(rest.substr(slash + 1)))
    return refuse();
  out.run = rest.substr(0, slash);
  out.output = rest.substr(slash + 1);
  return out;
}

std::optional<Expectation> read_expectation(const Node& table, Problems& problems) {
  Expectation out;
  out.span = out.of_span = table.span;
  TableReader reader(table, "[[expect]]", problems);
  if (const Member* of = reader.require("of", "of = \"resid/clean_metric\"")) {
    out.of_span = of->value.span;
    if (auto ref = read_output_ref(of->value, problems)) out.of = std::move(*ref);
  }
  reader.require("is", "is = 4.276");
  reader.require("within", "within = 1e-3");
  out.is = reader.number("is").value_or(0);
  out.within = reader.number("within", 0).value_or(0);
  if (const Member* when = reader.take("when")) {
    if (when->value.is(Node::Type::Table)) {
      flatten(when->value, {}, out.when);
    } else {
      problems.error(when->value.span,
                     fmt::format("'when' is {}, not a table; for example {{ \"model.source\" = \"gpt2\" }}",
                                 type_name(when->value)));
    }
  }
  reader.finish();
  if (out.of.run.empty()) return std::nullopt;
  return out;
}

Outcome evaluate(const Expectation& expectation, const base::Json& config, const OutputLookup& lookup) {
  Outcome out;
  out.expectation = &expectation;
  const std::string& name = expectation.of.written;
  for (const auto& [key, wanted] : expectation.when) {
    const base::Json* value = find_dotted(config, key);
    if (value == nullptr || *value != wanted) {
      out.status = Outcome::Status::NotAsked;
      out.sentence = fmt::format("{} is not asked for: {} is {}", name, key,
                                 value == nullptr ? "not set" : base::plain_json(*value));
      return out;
    }
  }
  const auto value = lookup(expectation.of);
  const std::string expected =
      fmt::format("expected {} within {}", base::shortest(expectation.is), base::shortest(expectation.within));
  if (!value) {
    out.status = Outcome::Status::Absent;
    out.sentence = fmt::format("{} is not there, {}", name, expected);
    return out;
  }
  out.value = *value;
  const double off = std::abs(*value - expectation.is);
  const bool held = off <= expectation.within;  // false for NaN
  out.status = held ? Outcome::Status::Held : Outcome::Status::Missed;
  const std::string found = std::isfinite(*value) ? base::shortest(*value) : fmt::format("{}", *value);
  out.sentence = held ? fmt::format("{} is {}, {}", name, found, expected)
                      : fmt::format("{} is {}, {} (off by {:.3g})", name, found, expected, off);
  return out;
}

}  // namespace diopter::study
