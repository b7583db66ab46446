# Everything from Debian packages, LibTorch from wherever ./dev setup found it (FindLibTorch.cmake says how).
find_package(LibTorch REQUIRED)
find_package(Boost 1.74 REQUIRED)               # Boost.DLL, header-only
find_package(fmt REQUIRED)                      # fmt::fmt-header-only; LibTorch bundles newer headers that come first
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(CURL 7.85 REQUIRED)                # models of the hub; only diopter-pull links it
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
if(DIOPTER_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  find_package(benchmark REQUIRED)
endif()
