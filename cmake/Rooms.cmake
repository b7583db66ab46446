# Rooms and the arrows between them: docs/architecture.md in CMake. A room links what its line names, nothing else;
# tests/arrows checks the #include lines against the same table.
set(DIOPTER_ARROWS_base         "")
set(DIOPTER_ARROWS_text         base)
set(DIOPTER_ARROWS_weights      base)
set(DIOPTER_ARROWS_hub          base)                                # where pulled models lie
set(DIOPTER_ARROWS_hub_pull     hub base)                            # fetching them: the only room with libcurl
set(DIOPTER_ARROWS_study        base)
set(DIOPTER_ARROWS_store        base)
set(DIOPTER_ARROWS_report       store)
set(DIOPTER_ARROWS_model        weights sdk)
set(DIOPTER_ARROWS_engine       model text sdk)
set(DIOPTER_ARROWS_host_stamp   base)
set(DIOPTER_ARROWS_host_open    host_stamp study sdk)
set(DIOPTER_ARROWS_exec_spool   store base)                          # spool writer, recorder: no LibTorch
set(DIOPTER_ARROWS_exec         hub exec_spool study host_open host_stamp engine store report base)
set(DIOPTER_ARROWS_cli          cli_light exec hub exec_spool study host_open host_stamp engine store report base)
set(DIOPTER_ARROWS_cli_light    study host_stamp store report base)  # the verbs of bin/diopter: no LibTorch
set(DIOPTER_ARROWS_cli_pull     cli_light hub_pull hub base)         # libexec/diopter/diopter-pull: no LibTorch

# diopter_room(NAME SOURCES f... [USES room...] [LINK target...] [PCH])
# A static library diopter_NAME. Includes are written "room/header.hpp" from core/. PCH: sources see ATen/ATen.h.
function(diopter_room name)
  cmake_parse_arguments(ARG "PCH" "" "SOURCES;USES;LINK" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "diopter_room(${name}): SOURCES missing or unknown arguments '${ARG_UNPARSED_ARGUMENTS}'.")
  endif()
  if(NOT DEFINED DIOPTER_ARROWS_${name})
    message(FATAL_ERROR "diopter_room(${name}): no such room in cmake/Rooms.cmake.")
  endif()
  add_library(diopter_${name} STATIC ${ARG_SOURCES})
  target_include_directories(diopter_${name} PUBLIC ${PROJECT_SOURCE_DIR}/core)
  target_link_libraries(diopter_${name} PUBLIC fmt::fmt-header-only ${ARG_LINK} PRIVATE diopter_warnings)
  foreach(room IN LISTS ARG_USES)
    if(NOT room IN_LIST DIOPTER_ARROWS_${name})
      message(FATAL_ERROR "Room '${name}' may not use '${room}' (arrows: ${DIOPTER_ARROWS_${name}}).")
    endif()
    if(room STREQUAL "sdk")
      target_link_libraries(diopter_${name} PUBLIC diopter_sdk_host)
    else()
      target_link_libraries(diopter_${name} PUBLIC diopter_${room})
    endif()
  endforeach()
  if(ARG_PCH)
    target_link_libraries(diopter_${name} PUBLIC torch_cpu c10)
    target_precompile_headers(diopter_${name} REUSE_FROM diopter_pch)
  endif()
endfunction()

# diopter_test(NAME SOURCES f... [USES room...] [LINK target...] [PCH] [LABELS l...] [TIMEOUT s])
# One GoogleTest executable, one CTest entry (a process that links LibTorch takes 0.24 s to start).
function(diopter_test name)
  cmake_parse_arguments(ARG "PCH" "TIMEOUT" "SOURCES;USES;LINK;LABELS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "diopter_test(${name}): SOURCES missing or unknown arguments '${ARG_UNPARSED_ARGUMENTS}'.")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  list(TRANSFORM ARG_USES PREPEND diopter_)
  list(TRANSFORM ARG_USES REPLACE "^diopter_sdk$" diopter_sdk_host)
  target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main
    fmt::fmt-header-only diopter_warnings)
  # What a test computes is small, what it compiles is large.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(ARG_PCH)
    target_link_libraries(${name} PRIVATE torch_cpu c10)
    target_precompile_headers(${name} REUSE_FROM diopter_pch)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    ENVIRONMENT "DIOPTER_SOURCE_DIR=${PROJECT_SOURCE_DIR};DIOPTER_BUILD_DIR=${PROJECT_BINARY_DIR};DIOPTER_ORACLES=${PROJECT_BINARY_DIR}/oracles")
endfunction()

# diopter_oracles(NAME SCRIPT f.py ENVIRONMENT tl2|hf [ARGS a...]): a Python script of tests/peers that writes expected values to
# <build>/oracles/NAME before the tests that read them run. `./dev peers` makes the environment; where the network
# forbids it the script is not run and those tests skip with one clear line, except under CI=true.
function(diopter_oracles name)
  cmake_parse_arguments(ARG "" "SCRIPT;ENVIRONMENT" "ARGS;READERS" ${ARGN})
  add_test(NAME oracles.${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    COMMAND ${PROJECT_SOURCE_DIR}/tests/peers/run_oracle ${ARG_ENVIRONMENT} ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SCRIPT}
            ${PROJECT_BINARY_DIR}/oracles/${name} ${ARG_ARGS})
  set_tests_properties(oracles.${name} PROPERTIES FIXTURES_SETUP oracles_${name} TIMEOUT 900 SKIP_RETURN_CODE 77)
  foreach(reader IN LISTS ARG_READERS)
    set_property(TEST ${reader} APPEND PROPERTY FIXTURES_REQUIRED oracles_${name})
  endforeach()
endfunction()
