# The CMake package, alike in the build tree and in an install prefix: CMAKE_PREFIX_PATH accepts either.
include(CMakePackageConfigHelpers)
set(package_dir lib/cmake/Diopter)
set(build_package_dir ${PROJECT_BINARY_DIR}/${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/DiopterConfig.cmake.in ${build_package_dir}/DiopterConfig.cmake
  INSTALL_DESTINATION ${package_dir} INSTALL_PREFIX ${PROJECT_BINARY_DIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/DiopterConfig.cmake.in
  ${PROJECT_BINARY_DIR}/install-config/DiopterConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${build_package_dir}/DiopterConfigVersion.cmake COMPATIBILITY SameMinorVersion)

set(package_files ${CMAKE_CURRENT_LIST_DIR}/DiopterAddPlugin.cmake ${CMAKE_CURRENT_LIST_DIR}/FindLibTorch.cmake
  ${CMAKE_CURRENT_LIST_DIR}/diopter_plugin.map)
foreach(package_file IN LISTS package_files)
  get_filename_component(package_file_name ${package_file} NAME)
  configure_file(${package_file} ${build_package_dir}/${package_file_name} COPYONLY)
endforeach()

install(TARGETS diopter_sdk EXPORT DiopterTargets LIBRARY DESTINATION lib)
export(EXPORT DiopterTargets NAMESPACE Diopter:: FILE ${build_package_dir}/DiopterTargets.cmake)
install(EXPORT DiopterTargets NAMESPACE Diopter:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/install-config/DiopterConfig.cmake ${build_package_dir}/DiopterConfigVersion.cmake ${package_files}
  DESTINATION ${package_dir})
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/../include/diopter ${DIOPTER_SDK_GENERATED}/diopter DESTINATION include
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/../template DESTINATION share/diopter)
