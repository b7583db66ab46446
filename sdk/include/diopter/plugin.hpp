// All of the SDK, and the one line that makes a library a plugin:
//   DIOPTER_PLUGIN("org.example.my_lens", "0.1.0", (MyLens, "my_lens", "Reads something off each layer.", kTable), ...)
// a tuple per kind: the class, the kind's name, its summary, its table. Once per library, at namespace scope.
#pragma once

#include <torch/csrc/api/include/torch/version.h>

#include <diopter/context.hpp>
#include <diopter/kind.hpp>
#include <diopter/stamp.hpp>
#include <diopter/statistics.hpp>
#include <diopter/table.hpp>

#ifndef DIOPTER_STAMP_TORCH
#define DIOPTER_STAMP_TORCH TORCH_VERSION
#endif
#ifdef __clang__
#define DIOPTER_BUILT_WITH __VERSION__
#else
#define DIOPTER_BUILT_WITH "GCC " __VERSION__
#endif

// DIOPTER_FOR_EACH_(macro, (a), (b), ...): macro(a) macro(b) ..., up to 64 of them.
#define DIOPTER_PARENS_ ()
#define DIOPTER_EXPAND_(...) DIOPTER_EXPAND3_(DIOPTER_EXPAND3_(DIOPTER_EXPAND3_(DIOPTER_EXPAND3_(__VA_ARGS__))))
#define DIOPTER_EXPAND3_(...) DIOPTER_EXPAND2_(DIOPTER_EXPAND2_(DIOPTER_EXPAND2_(DIOPTER_EXPAND2_(__VA_ARGS__))))
#define DIOPTER_EXPAND2_(...) DIOPTER_EXPAND1_(DIOPTER_EXPAND1_(DIOPTER_EXPAND1_(DIOPTER_EXPAND1_(__VA_ARGS__))))
#define DIOPTER_EXPAND1_(...) __VA_ARGS__
#define DIOPTER_FOR_EACH_(macro, ...) __VA_OPT__(DIOPTER_EXPAND_(DIOPTER_FOR_EACH_STEP_(macro, __VA_ARGS__)))
#define DIOPTER_FOR_EACH_STEP_(macro, first, ...) \
  macro first __VA_OPT__(DIOPTER_FOR_EACH_AGAIN_ DIOPTER_PARENS_(macro, __VA_ARGS__))
#define DIOPTER_FOR_EACH_AGAIN_() DIOPTER_FOR_EACH_STEP_

#define DIOPTER_STAMP_KIND_(Class, name, summary, table) "kind=" name "\t" summary "\n"
#define DIOPTER_KIND_(Class, name, summary, table) ::diopter::rules::kind<Class, table>(name, summary),

// The stamp is text in its own section, which survives strip and is read without running any code of the plugin. The
// descriptor is constant data, likewise.
#define DIOPTER_PLUGIN(id_text, version_text, ...)                                                         \
  __attribute__((used, retain, section("diopter"))) static const char diopter_plugin_stamp[] =             \
      "diopter-plugin\n"                                                                                   \
      "abi=" DIOPTER_STAMP_ABI                                                                             \
      "\n"                                                                                                 \
      "sdk=" DIOPTER_STAMP_SDK                                                                             \
      "\n"                                                                                                 \
      "torch=" DIOPTER_STAMP_TORCH                                                                         \
      "\n"                                                                                                 \
      "stl=" DIOPTER_STAMP_STL                                                                             \
      "\n"                                                                                                 \
      "containers=" DIOPTER_STAMP_CONTAINERS                                                               \
      "\n"                                                                                                 \
      "sanitizer=" DIOPTER_STAMP_SANITIZER                                                                 \
      "\n"                                                                                                 \
      "id=" id_text                                                                                        \
      "\n"                                                                                                 \
      "version=" version_text "\n" DIOPTER_FOR_EACH_(DIOPTER_STAMP_KIND_, __VA_ARGS__);                    \
  static constexpr diopter_kind diopter_plugin_kinds[] = {DIOPTER_FOR_EACH_(DIOPTER_KIND_, __VA_ARGS__)};  \
  extern "C" __attribute__((visibility("default"), used)) constinit const diopter_plugin diopter_entry = { \
      .struct_size = sizeof(diopter_plugin),                                                               \
      .abi_epoch = DIOPTER_ABI_EPOCH,                                                                      \
      .abi_level = DIOPTER_ABI_LEVEL,                                                                      \
      .reserved = 0,                                                                                       \
      .id = ::diopter::rules::plugin_id(id_text),                                                          \
      .version = ::diopter::rules::plugin_version(version_text),                                           \
      .built_with = DIOPTER_BUILT_WITH,                                                                    \
      .torch_version = TORCH_VERSION,                                                                      \
      .kinds = diopter_plugin_kinds,                                                                       \
      .kind_count = ::diopter::rules::kind_count(diopter_plugin_kinds),                                    \
      .kind_size = sizeof(diopter_kind),                                                                   \
      .get_extension = nullptr};
