#include "net/http2_codec.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace flagstone::net {
namespace {

// Ours are six; nobody has thirty.
constexpr std::size_t kSettingsPerFrameMax = 32;
// Of PING and SETTINGS, waiting for a peer that does not read.
constexpr std::size_t kAcknowledgementsMax = 1000;
// Answers of one connection resemble each other, and with a table each of their fields becomes one
// byte after the first: no Huffman coding here, none undone there. It holds what was said only, so
// a connection that was never answered pays nothing.
constexpr std::size_t kDeflateTableBytes = 4096;

Http2Session& of(void* user_data) { return *static_cast<Http2Session*>(user_data); }

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// nghttp2 fails only for want of memory here, and then nothing works.
void must(int result) {
  if (result == 0) return;
  std::fprintf(stderr, "nghttp2: %s\n", nghttp2_strerror(result));
  std::abort();
}

nghttp2_option* make_options(const HttpLimits& limits) {
  nghttp2_option* options = nullptr;
  must(nghttp2_option_new(&options));
  nghttp2_option_set_max_outbound_ack(options, kAcknowledgementsMax);
  nghttp2_option_set_max_settings(options, kSettingsPerFrameMax);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, kDeflateTableBytes);
#ifdef FLAGSTONE_NGHTTP2_RESET_RATE_LIMIT
  // Ours comes first and knows the reset's maker; this one is for what we overlooked.
  nghttp2_option_set_stream_reset_rate_limit(options, std::uint64_t{2} * limits.reset_burst,
                                             std::uint64_t{2} * limits.resets_per_second);
#endif
  (void)limits;
  return options;
}

void submit_settings(nghttp2_session* session, const HttpLimits& limits) {
  const std::array<nghttp2_settings_entry, 3> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes_max)},
  }};
  must(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  must(nghttp2_session_set_local_window_size(
      session, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(limits.connection_window_bytes)));
}

}  // namespace

void Http2Session::Codec::set_receiving(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        return of(user).frame_begun(*head);
      });
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return of(user).header_begun(*frame);
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
        return of(user).add_field(*frame, text(name, name_size), text(value, value_size));
      });
  // Without it, nghttp2 would leave such a field out and go on.
  nghttp2_session_callbacks_set_on_invalid_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
         const std::uint8_t*, std::size_t, std::uint8_t,
         void*) -> int { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks,
      [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
         std::size_t size, void* user) { return of(user).add_body(id, text(bytes, size)); });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return of(user).frame_received(*frame);
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        return of(user).stream_closed(id);
      });
}

void Http2Session::Codec::set_saying(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_send_data_callback(
      callbacks, [](nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t count,
                    nghttp2_data_source* source, void* user) {
        return of(user).say_data(*static_cast<Http2Stream*>(source->ptr), head, count);
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return of(user).frame_said(*frame);
      });
}

nghttp2_session* Http2Session::Codec::make_session(Http2Session& session) {
  const HttpLimits& limits = session.resources_.limits;
  nghttp2_session_callbacks* callbacks = nullptr;
  must(nghttp2_session_callbacks_new(&callbacks));
  set_receiving(callbacks);
  set_saying(callbacks);
  nghttp2_option* options = make_options(limits);
  nghttp2_session* made = nullptr;
  must(nghttp2_session_server_new3(&made, callbacks, &session, options,
                                   session.account_.functions()));
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  submit_settings(made, limits);
  return made;
}

nghttp2_data_provider Http2Session::Codec::data_of(Http2Stream& stream) {
  nghttp2_data_provider provider;
  provider.source.ptr = &stream;
  provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room,
                              std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    return of(user).next_data(*static_cast<Http2Stream*>(source->ptr), room, *flags);
  };
  return provider;
}

}  // namespace flagstone::net
