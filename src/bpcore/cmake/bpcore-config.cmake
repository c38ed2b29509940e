# find_package(bpcore CONFIG) gives bpcore_add_module; bpcore_DIR is what bpcore.get_cmake_dir() returns.
#
#   bpcore_add_module(package.name SOURCES file.pyx [more.c …] [OPENMP])
#
# builds the extension module package.name_<level> of a Cython file, in C, once for each instruction-set level, with the
# flags that give the bits of bpcore, and installs it into the package's folder. At run time bpcore.level() names the one
# to import. OPENMP is for functions that are called with more than one thread.
#
# The targets are called package.name_<level>; what else they need is set on each of them:
#
#   foreach(level IN LISTS BPCORE_LEVELS)
#     target_link_libraries(package.name_${level} PRIVATE …)
#   endforeach()

include(CMakeFindDependencyMacro)
find_dependency(Python COMPONENTS Interpreter Development.Module)
include("${CMAKE_CURRENT_LIST_DIR}/bpcore-levels.cmake")

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH BPCORE_INCLUDE_DIR)    # of the C headers
cmake_path(GET BPCORE_INCLUDE_DIR PARENT_PATH BPCORE_CYTHON_DIR)         # of the package, which .pxd files are found in

function(bpcore_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPENMP" "" "SOURCES")
  set(cython_sources ${arg_SOURCES})
  list(FILTER cython_sources INCLUDE REGEX "\\.pyx$")
  list(LENGTH cython_sources count)
  if(arg_UNPARSED_ARGUMENTS OR NOT count EQUAL 1)
    list(JOIN ARGN " " arguments)
    message(FATAL_ERROR "got bpcore_add_module(${name} ${arguments}), wanted one .pyx file, and C files or none: "
                        "bpcore_add_module(package.name SOURCES file.pyx [more.c …] [OPENMP])")
  endif()
  list(REMOVE_ITEM arg_SOURCES ${cython_sources})
  cmake_path(ABSOLUTE_PATH cython_sources BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "^.*\\." "" module "${name}")
  string(REGEX REPLACE "\\.?[^.]*$" "" package "${name}")
  string(REPLACE "." "/" folder "${package}")
  if(NOT folder)
    set(folder .)
  endif()
  if(arg_OPENMP)
    find_package(OpenMP REQUIRED COMPONENTS C)
  endif()
  foreach(level IN LISTS BPCORE_LEVELS)
    set(target "${name}_${level}")
    set(generated "${CMAKE_CURRENT_BINARY_DIR}/${target}.c")
    add_custom_command(
      OUTPUT "${generated}"
      COMMAND "${Python_EXECUTABLE}" -m cython -3 -M --module-name "${target}" -I "${BPCORE_CYTHON_DIR}"
              "${cython_sources}" -o "${generated}"
      DEPENDS "${cython_sources}"
      DEPFILE "${generated}.dep"
      VERBATIM)
    python_add_library("${target}" MODULE WITH_SOABI "${generated}" ${arg_SOURCES})
    set_target_properties("${target}" PROPERTIES OUTPUT_NAME "${module}_${level}" C_VISIBILITY_PRESET hidden)
    target_include_directories("${target}" PRIVATE "${BPCORE_INCLUDE_DIR}")
    target_compile_options("${target}" PRIVATE ${BPCORE_C_FLAGS} ${BPCORE_FLAGS_${level}})
    if(arg_OPENMP)
      target_link_libraries("${target}" PRIVATE OpenMP::OpenMP_C)
    endif()
    install(TARGETS "${target}" DESTINATION "${folder}")
  endforeach()
endfunction()
