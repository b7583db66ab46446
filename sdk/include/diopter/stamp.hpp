// What a plugin's stamp says about the build it came from, and what the host compares it with. Macros only: the host's
// stamp reader includes this without the SDK's types. Each can be defined beforehand, which is how tests make wrong
// plugins.
#pragma once

#include <version>  // without it _GLIBCXX_USE_CXX11_ABI is undefined and the stamp would lie

#include <diopter/abi.h>
#include <diopter/sdk_hash.hpp>

#define DIOPTER_STAMP_TEXT_OF_(x) #x
#define DIOPTER_STAMP_TEXT(x) DIOPTER_STAMP_TEXT_OF_(x)

#ifndef DIOPTER_STAMP_ABI
#define DIOPTER_STAMP_ABI DIOPTER_STAMP_TEXT(DIOPTER_ABI_EPOCH) "." DIOPTER_STAMP_TEXT(DIOPTER_ABI_LEVEL)
#endif

#ifndef DIOPTER_STAMP_SDK
#define DIOPTER_STAMP_SDK DIOPTER_SDK_HASH
#endif

#ifndef DIOPTER_STAMP_STL
#if defined(_LIBCPP_VERSION)
#define DIOPTER_STAMP_STL "libcxx"
#elif defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
#define DIOPTER_STAMP_STL "glibcxx11"
#else
#define DIOPTER_STAMP_STL "glibcxx_old"
#endif
#endif

#ifndef DIOPTER_STAMP_CONTAINERS
#ifdef _GLIBCXX_DEBUG
#define DIOPTER_STAMP_CONTAINERS "debug"
#else
#define DIOPTER_STAMP_CONTAINERS "plain"
#endif
#endif

#ifdef __has_feature
#define DIOPTER_HAS_FEATURE_(x) __has_feature(x)
#else
#define DIOPTER_HAS_FEATURE_(x) 0
#endif

#ifndef DIOPTER_STAMP_SANITIZER
#if defined(__SANITIZE_ADDRESS__) || DIOPTER_HAS_FEATURE_(address_sanitizer)
#define DIOPTER_STAMP_SANITIZER "asan"
#elif defined(__SANITIZE_THREAD__) || DIOPTER_HAS_FEATURE_(thread_sanitizer)
#define DIOPTER_STAMP_SANITIZER "tsan"
#else
#define DIOPTER_STAMP_SANITIZER "none"
#endif
#endif
