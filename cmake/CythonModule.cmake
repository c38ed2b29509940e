# bpcore_module(NAME SOURCE bpcore/file.pyx [SMALL from to again] [FLAGS …]) builds the extension module bpcore.NAME. None of them has typed
# memoryviews, whose code is 150 kB.
#
# Release leaves the checks out; Debug (the editable install) has those of Cython in .pyx and .pxi files, those of
# BPCORE_CHECKS, assertions and warnings.

find_package(Cython 3.3 REQUIRED MODULE)
include(UseCython)

set(BPCORE_IS_DEBUG $<CONFIG:Debug>)
set(BPCORE_SMALL_BINDINGS "${CMAKE_CURRENT_LIST_DIR}/SmallBindings.cmake")

# docs/explanation/free-threading.md says what keeps the modules from being compatible with free-threaded interpreters.
set(BPCORE_CYTHON_ARGS -3 -X freethreading_compatible=False -X binding=True -X cdivision=True)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  list(APPEND BPCORE_CYTHON_ARGS -X boundscheck=True -X initializedcheck=True -X wraparound=False -Wextra)
else()
  list(APPEND BPCORE_CYTHON_ARGS -X boundscheck=False -X initializedcheck=False -X wraparound=False)
endif()

if(BPCORE_COVERAGE)
  # The counts of the C file become those of the .pyx, .pxi and .pxd lines that it was made from.
  list(APPEND BPCORE_CYTHON_ARGS --line-directives)
endif()

# The sanitizers' checks grow with what the compiler copies: with -O3 it takes minutes longer.
set(BPCORE_OPTIMISATION $<IF:$<BOOL:${BPCORE_SANITIZE}>,-O1,-O3>)
string(REPLACE address address,undefined BPCORE_SANITIZERS "${BPCORE_SANITIZE}")

function(_bpcore_finish target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src/bpcore")
  target_compile_options(${target} PRIVATE ${BPCORE_C_FLAGS} -fno-semantic-interposition
    $<$<NOT:${BPCORE_IS_DEBUG}>:${BPCORE_OPTIMISATION}> $<$<NOT:${BPCORE_IS_DEBUG}>:-fno-asynchronous-unwind-tables>
    ${ARGN}
    $<${BPCORE_IS_DEBUG}:-O1 -g -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers>)
  target_compile_definitions(${target} PRIVATE
    $<$<NOT:${BPCORE_IS_DEBUG}>:CYTHON_WITHOUT_ASSERTIONS>
    $<$<OR:${BPCORE_IS_DEBUG},$<BOOL:${BPCORE_SANITIZE}>>:BPCORE_CHECKS>)
  if(BPCORE_SANITIZE)
    # A finding ends the process. A pointer past the end of an empty memoryview is formed, never followed.
    target_compile_options(${target} PRIVATE -g1 -fsanitize=${BPCORE_SANITIZERS} -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${BPCORE_SANITIZERS})
    target_compile_definitions(${target} PRIVATE BPCORE_SANITIZED)
  endif()
  if(BPCORE_COVERAGE)
    # Behind the -O3 of a release: where loops are unrolled and merged, lines are none.
    target_compile_options(${target} PRIVATE -Og --coverage -fprofile-update=atomic)
    target_link_options(${target} PRIVATE --coverage)
  endif()
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON C_VISIBILITY_PRESET hidden)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT APPLE AND NOT BPCORE_SANITIZE)
    target_link_options(${target} PRIVATE -s)
    # Else code and data stand on pages of their own, four more a module.
    check_linker_flag(C -Wl,-z,noseparate-code BPCORE_HAS_NOSEPARATE_CODE)
    if(BPCORE_HAS_NOSEPARATE_CODE)
      target_link_options(${target} PRIVATE -Wl,-z,noseparate-code)
    endif()
  endif()
  install(TARGETS ${target} DESTINATION bpcore)
endfunction()

function(bpcore_module name)
  cmake_parse_arguments(arg "" "SOURCE" "FLAGS;SMALL" ${ARGN})
  cython_transpile("${PROJECT_SOURCE_DIR}/src/${arg_SOURCE}"
    LANGUAGE C
    MODULE_NAME bpcore.${name}
    OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.c"
    OUTPUT_VARIABLE generated
    INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/src"
    CYTHON_ARGS ${BPCORE_CYTHON_ARGS})
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT BPCORE_SANITIZE AND NOT BPCORE_COVERAGE)
    set(small "${CMAKE_CURRENT_BINARY_DIR}/${name}_small.c")
    list(APPEND arg_SMALL "" "" "")
    list(GET arg_SMALL 0 from)
    list(GET arg_SMALL 1 to)
    list(GET arg_SMALL 2 again)
    add_custom_command(
      OUTPUT "${small}"
      COMMAND "${CMAKE_COMMAND}" "-DGENERATED=${generated}" "-DOUTPUT=${small}" "-DFROM=${from}" "-DTO=${to}" "-DAGAIN=${again}" -P "${BPCORE_SMALL_BINDINGS}"
      DEPENDS "${generated}" "${BPCORE_SMALL_BINDINGS}"
      VERBATIM)
    set(generated "${small}")
  endif()
  python_add_library(${name} MODULE WITH_SOABI "${generated}")
  if(OpenMP_C_FOUND)
    target_link_libraries(${name} PRIVATE OpenMP::OpenMP_C)
  endif()
  _bpcore_finish(${name} ${arg_FLAGS})
endfunction()
