# flagd's messages, generated at build time from our own .proto files. Included by their path from the
# root, as our headers are: "evaluation/dialects/flagd/wire/flagd_sync_v1.pb.h".
file(GLOB flagd_protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/evaluation/dialects/flagd/wire/*.proto)
set(generated_dir ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated_dir})
set(generated_sources "")
foreach(proto ${flagd_protos})
  cmake_path(RELATIVE_PATH proto BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE name)
  cmake_path(REPLACE_EXTENSION name LAST_ONLY pb OUTPUT_VARIABLE stem)
  list(APPEND generated_sources ${generated_dir}/${stem}.cc)
  list(APPEND generated_headers ${generated_dir}/${stem}.h)
endforeach()
# One call of the compiler for all of them: they import each other.
add_custom_command(
  OUTPUT ${generated_sources} ${generated_headers}
  COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=${generated_dir} ${flagd_protos}
  DEPENDS ${flagd_protos}
  COMMENT "Messages of flagd's services"
  VERBATIM)
add_library(flagstone_flagd_proto STATIC ${generated_sources} ${generated_headers})
# Nobody else's code is held to our warnings.
target_include_directories(flagstone_flagd_proto SYSTEM PUBLIC ${generated_dir})
target_link_libraries(flagstone_flagd_proto PUBLIC protobuf::libprotobuf-lite)
