# One set of compile flags for everything, so that the precompiled ATen header can be shared (GCC refuses a header
# compiled with other flags) and every object can end in a shared library.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# Executables are position independent anyway (-fPIC objects); -fPIE objects could not share the precompiled header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})

add_library(diopter_warnings INTERFACE)
target_compile_options(diopter_warnings INTERFACE -Wall -Wextra -Wshadow -Wno-missing-field-initializers
  $<$<BOOL:${DIOPTER_WERROR}>:-Werror>
  # In a batch, types of unnamed namespaces are members of other types, which only matters between files.
  $<$<AND:$<BOOL:${DIOPTER_UNITY}>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>)

if(DIOPTER_SANITIZE STREQUAL "asan")
  # Without no-sanitize-recover a finding of the undefined-behaviour sanitizer would be a line in the log of a test that passes.
  add_compile_options(-fsanitize=address,undefined,float-cast-overflow -fno-sanitize=vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=vptr)
elseif(DIOPTER_SANITIZE STREQUAL "tsan")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(DIOPTER_SANITIZE)
  message(FATAL_ERROR "DIOPTER_SANITIZE is '${DIOPTER_SANITIZE}'; expected empty, 'asan' or 'tsan'.")
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# One output layout for the build tree and the install prefix, so that both can be used alike.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/rooms)
