add_library(flagstone_warnings INTERFACE)
target_compile_options(flagstone_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough)
# Sources that silence a warning of GCC's name one that Clang may not know.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(flagstone_warnings INTERFACE -Wno-unknown-warning-option)
endif()
# The sanitizers' own code makes GCC 12 see uninitialised reads inside <regex> that are none; builds
# without sanitizers still look for them.
if(FLAGSTONE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(flagstone_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
if(FLAGSTONE_WERROR)
  target_compile_options(flagstone_warnings INTERFACE -Werror)
endif()
if(FLAGSTONE_SANITIZE)
  add_compile_options(-fsanitize=${FLAGSTONE_SANITIZE} -fno-omit-frame-pointer)
  if(NOT FLAGSTONE_SANITIZE MATCHES "thread")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
  add_link_options(-fsanitize=${FLAGSTONE_SANITIZE})
endif()
