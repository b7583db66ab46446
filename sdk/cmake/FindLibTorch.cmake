# Finds a LibTorch folder or the one inside a Python wheel, and nothing more: no CUDA toolkit, MKL or kineto is asked
# for (the wheel's own TorchConfig.cmake does). Looks under LibTorch_ROOT (variable or environment) and
# CMAKE_PREFIX_PATH, where a wheel's `torch.utils.cmake_prefix_path` is accepted too.
# Defines torch_cpu, c10 and, when its library is there, torch_cuda; sets LibTorch_VERSION and LibTorch_LIBRARY_DIR.
set(_libtorch_roots ${LibTorch_ROOT} $ENV{LibTorch_ROOT})
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  list(APPEND _libtorch_roots ${prefix} ${prefix}/../.. ${prefix}/..)
endforeach()
find_path(LibTorch_INCLUDE_DIR ATen/core/Tensor.h HINTS ${_libtorch_roots} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${_libtorch_roots} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${_libtorch_roots} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LibTorch_CUDA_LIBRARY torch_cuda HINTS ${_libtorch_roots} PATH_SUFFIXES lib NO_DEFAULT_PATH)
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_CUDA_LIBRARY)

foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(LibTorch_INCLUDE_DIR AND NOT LibTorch_VERSION AND EXISTS ${LibTorch_INCLUDE_DIR}/${_header})
    file(STRINGS ${LibTorch_INCLUDE_DIR}/${_header} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" LibTorch_VERSION "${_lines}")
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "give -DLibTorch_ROOT=DIR (a LibTorch folder or a wheel's torch folder), or run ./dev setup.")

if(LibTorch_FOUND AND NOT TARGET torch_cpu)
  get_filename_component(LibTorch_LIBRARY_DIR ${LibTorch_CPU_LIBRARY} DIRECTORY)
  foreach(_name c10 torch_cpu torch_cuda)
    string(TOUPPER ${_name} _variable)
    string(REPLACE "TORCH_" "" _variable ${_variable})
    if(LibTorch_${_variable}_LIBRARY)
      add_library(${_name} SHARED IMPORTED)
      set_target_properties(${_name} PROPERTIES IMPORTED_LOCATION ${LibTorch_${_variable}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
        IMPORTED_NO_SONAME OFF)
    endif()
  endforeach()
  target_link_libraries(torch_cpu INTERFACE c10)
endif()
