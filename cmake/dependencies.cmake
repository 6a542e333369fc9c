# Everything from outside, found once. `make setup` installs what is missing.
find_package(PkgConfig REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# nghttp2 limits resets itself since 1.57; Debian 12's 1.52 has that by a security update.
include(CheckSymbolExists)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::NGHTTP2)
check_symbol_exists(nghttp2_option_set_stream_reset_rate_limit nghttp2/nghttp2.h
  FLAGSTONE_NGHTTP2_RESET_RATE_LIMIT)
unset(CMAKE_REQUIRED_LIBRARIES)

# yaml-cpp 0.8 (Debian 13, Ubuntu 24.04) moved its target into a namespace.
add_library(flagstone_yaml INTERFACE)
if(TARGET yaml-cpp::yaml-cpp)
  target_link_libraries(flagstone_yaml INTERFACE yaml-cpp::yaml-cpp)
else()
  target_link_libraries(flagstone_yaml INTERFACE yaml-cpp)
endif()

# xxHash is used header-only (XXH_INLINE_ALL), so that its dispatch is inlined.
add_library(flagstone_xxhash INTERFACE)
target_link_libraries(flagstone_xxhash INTERFACE PkgConfig::XXHASH)
# It inlines through pointers to functions, by force, which GCC refuses at -Og: the sanitized presets' level.
if(FLAGSTONE_SANITIZE)
  target_compile_definitions(flagstone_xxhash INTERFACE XXH_NO_INLINE_HINTS=1)
endif()

# llhttp: the system's where there is one (Debian 13), else the sources that `make setup` fetched.
pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp>=9.2)
if(LLHTTP_FOUND)
  add_library(flagstone_llhttp ALIAS PkgConfig::LLHTTP)
else()
  set(llhttp_dir ${CMAKE_SOURCE_DIR}/.deps/llhttp)
  if(NOT EXISTS ${llhttp_dir}/src/llhttp.c)
    message(FATAL_ERROR "llhttp is neither installed nor fetched. Run `make setup` first.")
  endif()
  add_library(flagstone_llhttp STATIC
    ${llhttp_dir}/src/api.c ${llhttp_dir}/src/http.c ${llhttp_dir}/src/llhttp.c)
  target_include_directories(flagstone_llhttp SYSTEM PUBLIC ${llhttp_dir}/include)
endif()
