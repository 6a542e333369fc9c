# The standard library, read once instead of once a file: of what GCC 12 needs for one of our objects in
# the asan preset, 27 % was that, and 18 % of a test's was Google Test.
#
# It must not hide an include that is missing. The rooms' list is of the standard library only, and lint
# compiles each of their files without it; the tests' list is the one header that each includes anyway,
# itself or by its fixture.
#
# A cache of compiled objects finds none that were made with one, for its bytes differ from tree to tree;
# so there is none where a compiler launcher is set.
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()

# Some libraries ask for it; GCC takes a precompiled header only by flags that are the same.
add_compile_options(-pthread)
add_link_options(-pthread)

# Each list has a target of its own, that whoever wants one test program need not build another room.
function(flagstone_precompiled name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc)
  target_link_libraries(${name} PRIVATE flagstone_warnings)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

flagstone_precompiled(flagstone_room_headers
  <algorithm> <array> <charconv> <chrono> <expected> <functional> <map> <memory> <optional> <span>
  <string> <string_view> <utility> <vector>)
