# diopter_add_plugin(NAME SOURCES f... [LINK target...] [TESTS f...] [PCH] [NO_INSTALL])
# One plugin library with everything an author could forget. The same function serves Diopter's own plugins and yours.
#   NAME_obj   the object files, to link tests against: position independent, C++20, hidden symbols
#   NAME       <build>/lib/diopter/plugins/NAME.diopter.so: exports diopter_entry alone, nothing undefined, no RUNPATH (the
#              host has the SDK and LibTorch loaded; so the file tested is the file shipped); installed unless NO_INSTALL
#   NAME_test  with TESTS and BUILD_TESTING: a GoogleTest executable of them and NAME_obj; CTest runs it as NAME.unit
#   PCH        precompiles ATen/ATen.h: 15 seconds once, then several a file less
set(DIOPTER_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/diopter_plugin.map)

function(diopter_add_plugin name)
  cmake_parse_arguments(ARG "PCH;NO_INSTALL" "" "SOURCES;LINK;TESTS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "diopter_add_plugin(${name}): unknown arguments '${ARG_UNPARSED_ARGUMENTS}'; "
      "it takes SOURCES, LINK, TESTS, PCH and NO_INSTALL.")
  endif()
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "diopter_add_plugin(${name}): SOURCES is missing; list the plugin's .cpp files after it.")
  endif()
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT CMAKE_BUILD_TYPE AND NOT multi_config)
    message(FATAL_ERROR "diopter_add_plugin(${name}): no build type; pass -DCMAKE_BUILD_TYPE=RelWithDebInfo.")
  endif()

  add_library(${name}_obj OBJECT ${ARG_SOURCES})
  target_link_libraries(${name}_obj PUBLIC Diopter::sdk ${ARG_LINK})
  _diopter_compile_rules(${name}_obj ${ARG_PCH})

  add_library(${name} MODULE)
  target_link_libraries(${name} PRIVATE ${name}_obj)
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".diopter.so" LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/diopter/plugins
    SKIP_BUILD_RPATH ON SKIP_INSTALL_RPATH ON
    LINK_DEPENDS ${DIOPTER_PLUGIN_MAP})
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,--version-script=${DIOPTER_PLUGIN_MAP})
  # Clang's sanitizer runtimes are in the executable only, so their symbols stay undefined here.
  if(NOT (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND "${CMAKE_CXX_FLAGS} ${CMAKE_SHARED_LINKER_FLAGS}" MATCHES "-fsanitize"))
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${name} LIBRARY DESTINATION lib/diopter/plugins)
  endif()

  if(ARG_TESTS AND (BUILD_TESTING OR DIOPTER_TESTS))
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${ARG_TESTS})
    target_link_libraries(${name}_test PRIVATE ${name}_obj GTest::gtest GTest::gmock GTest::gtest_main)
    _diopter_compile_rules(${name}_test ${ARG_PCH})
    add_test(NAME ${name}.unit COMMAND ${name}_test)
    set_tests_properties(${name}.unit PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# Language, visibility and precompiled header of one target. In Diopter's own tree the header of the SDK is shared.
function(_diopter_compile_rules target precompile)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(TARGET diopter_pch)
    target_link_libraries(${target} PRIVATE diopter_warnings)
    target_precompile_headers(${target} REUSE_FROM diopter_pch)
  elseif(precompile)
    target_precompile_headers(${target} PRIVATE <ATen/ATen.h>)
  endif()
endfunction()
