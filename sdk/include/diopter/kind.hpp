// Makes the C descriptor of a kind out of its class and its table, at compile time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <diopter/abi.h>
#include <diopter/context.hpp>
#include <diopter/exception.hpp>
#include <diopter/table.hpp>

namespace diopter {
inline namespace abi1 {
namespace rules {

constexpr bool is_declared(std::string_view name, const Row* rows, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (rows[i].kind == Row::Kind::Param && name == rows[i].param.name) return true;
  }
  return false;
}

// {layer} and parameters; braces with a comma or a range are globs.
constexpr bool are_placeholders_known(std::string_view pattern, const Row* rows, std::size_t count) {
  while (true) {
    const std::size_t open = pattern.find('{');
    if (open == std::string_view::npos) return true;
    const std::size_t close = pattern.find('}', open);
    const std::string_view inner = pattern.substr(open + 1, close - open - 1);
    if (is_name(inner) && inner != "layer" && !is_declared(inner, rows, count)) return false;
    pattern.remove_prefix(close + 1);
  }
}

template <std::size_t kCount>
consteval void check_table(const Row (&rows)[kCount]) {
  int versions = 0, metric_lists = 0;
  for (const Row& row : rows) {
    versions += row.kind == Row::Kind::Version;
    metric_lists += row.kind == Row::Kind::Param && row.param.type == DIOPTER_METRIC_LIST;
  }
  if (versions > 1) throw "a table has at most one version() row";
  if (metric_lists > 1) throw "a kind has at most one MetricList, since it brings the keys at, normalise and min_gap";
  for (std::size_t i = 0; i < kCount; ++i) {
    const Row& row = rows[i];
    if (row.kind == Row::Kind::Hook && !are_placeholders_known(row.hook.pattern, rows, kCount)) {
      throw "a {name} in a hook pattern is {layer} or a parameter of the table";
    }
    if (metric_lists > 0 && row.kind == Row::Kind::Param && is_metric_run_key(row.param.name)) {
      throw "at, normalise and min_gap come with a MetricList; call the parameter something else";
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (row.kind != rows[j].kind) continue;
      if (row.kind == Row::Kind::Param && std::string_view(row.param.name) == rows[j].param.name) {
        throw "two parameters of one kind have the same name";
      }
      if (row.kind == Row::Kind::Output && std::string_view(row.output.name) == rows[j].output.name) {
        throw "two outputs of one kind have the same name";
      }
    }
  }
}

consteval std::size_t count_of(Row::Kind kind, const Row* rows, std::size_t count) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) found += rows[i].kind == kind;
  return found;
}

template <const auto& kRows, Row::Kind kKind, class Member>
consteval auto split(Member Row::*member) {
  constexpr std::size_t count = count_of(kKind, kRows, std::size(kRows));
  std::array<Member, (count > 0 ? count : 1)> out{};  // C arrays are never empty
  std::size_t next = 0;
  for (const Row& row : kRows) {
    if (row.kind == kKind) out[next++] = row.*member;
  }
  return out;
}

// The three typed arrays of a table.
template <const auto& kRows>
struct Table {
  static constexpr auto kParams = split<kRows, Row::Kind::Param>(&Row::param);
  static constexpr auto kOutputs = split<kRows, Row::Kind::Output>(&Row::output);
  static constexpr auto kHooks = split<kRows, Row::Kind::Hook>(&Row::hook);

  static consteval std::uint32_t count(Row::Kind kind) {
    return static_cast<std::uint32_t>(count_of(kind, kRows, std::size(kRows)));
  }
  static consteval std::uint32_t needs() {
    std::uint32_t bits = 0;
    for (const Row& row : kRows) bits |= row.kind == Row::Kind::Needs ? row.number : 0;
    return bits;
  }
  static consteval std::uint32_t version() {
    for (const Row& row : kRows) {
      if (row.kind == Row::Kind::Version) return row.number;
    }
    return 1;
  }
};

// The C functions of a kind: no exception leaves them.
template <class A>
struct Thunks {
  static int32_t create(const diopter_params* params, void** self, diopter_status* status) noexcept {
    try {
      if constexpr (std::is_constructible_v<A, const Params&>) {
        *self = static_cast<Analysis*>(new A(*reinterpret_cast<const Params*>(params)));
      } else {
        *self = static_cast<Analysis*>(new A());
      }
      return DIOPTER_OK;
    } catch (...) {
      return status_of_current_exception(status);
    }
  }
  static int32_t run(void* self, diopter_context* context, diopter_status* status) noexcept {
    try {
      static_cast<Analysis*>(self)->run(*reinterpret_cast<Context*>(context));
      return DIOPTER_OK;
    } catch (...) {
      return status_of_current_exception(status);
    }
  }
  static void destroy(void* self) noexcept { delete static_cast<Analysis*>(self); }
};

constexpr bool is_one_line(std::string_view text) {
  for (const char c : text) {
    if (c >= 0 && c < ' ') return false;
  }
  return !text.empty();
}

template <class A, const auto& kRows>
consteval diopter_kind kind(const char* name, const char* summary) {
  static_assert(std::is_base_of_v<Analysis, A>, "the class of a kind derives from diopter::Analysis");
  static_assert(std::is_constructible_v<A, const Params&> || std::is_default_constructible_v<A>,
                "the class of a kind is constructed from const Params& or from nothing, by a public constructor");
  if (!is_name(name)) throw "the name of a kind is [a-z][a-z0-9_]*, at most 64 characters";
  if (!is_one_line(summary)) throw "the summary of a kind is one line of text";
  check_table(kRows);
  using T = Table<kRows>;
  return {.struct_size = sizeof(diopter_kind),
          .needs = T::needs(),
          .version = T::version(),
          .reserved = 0,
          .name = name,
          .summary = summary,
          .doc = "",
          .params = T::kParams.data(),
          .param_count = T::count(Row::Kind::Param),
          .param_size = sizeof(diopter_param),
          .outputs = T::kOutputs.data(),
          .output_count = T::count(Row::Kind::Output),
          .output_size = sizeof(diopter_output),
          .hooks = T::kHooks.data(),
          .hook_count = T::count(Row::Kind::Hook),
          .hook_size = sizeof(diopter_hook),
          .create = &Thunks<A>::create,
          .run = &Thunks<A>::run,
          .destroy = &Thunks<A>::destroy};
}

constexpr bool is_plugin_id(std::string_view id) {
  bool dot = false;
  for (const char c : id) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')) return false;
    dot = dot || c == '.';
  }
  return dot;
}

consteval const char* plugin_id(const char* id) {
  if (!is_plugin_id(id)) throw "the id of a plugin is [a-z0-9._-]+ with a dot, as in \"org.example.my_lens\"";
  return id;
}

consteval const char* plugin_version(const char* version) {
  int dots = 0;
  for (const char c : std::string_view(version)) {
    if ((c < '0' || c > '9') && c != '.') throw "the version of a plugin is three numbers, as in \"0.1.0\"";
    dots += c == '.';
  }
  if (dots != 2) throw "the version of a plugin is three numbers, as in \"0.1.0\"";
  return version;
}

template <std::size_t kCount>
consteval std::uint32_t kind_count(const diopter_kind (&kinds)[kCount]) {
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (std::string_view(kinds[i].name) == kinds[j].name) throw "two kinds of one plugin have the same name";
    }
  }
  return kCount;
}

}  // namespace rules
}  // namespace abi1
}  // namespace diopter
