// An HTTP/2 client without a connection: what it asks becomes bytes, what it is told becomes
// answers. For sessions and servers under test alike.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flagstone::net {

struct Http2ClientOptions {
  std::uint32_t stream_window = 65535;
  bool opens_windows = true;  // as bytes come
};

class Http2Client {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    int status = 0;
    Fields headers;
    Fields trailers;
    std::string body;
    bool closed = false;  // the stream is
    std::uint32_t error = 0;

    std::string header(std::string_view name) const { return find(headers, name); }
    std::string trailer(std::string_view name) const { return find(trailers, name); }
    static std::string find(const Fields& fields, std::string_view name) {
      for (const auto& field : fields) {
        if (field.first == name) return field.second;
      }
      return "(none)";
    }
  };

  explicit Http2Client(Http2ClientOptions options = {}) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    set(callbacks);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, options.opens_windows ? 0 : 1);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                        options.stream_window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;
  ~Http2Client() { nghttp2_session_del(session_); }

  std::int32_t get(std::string_view path, const Fields& more = {}) {
    return ask("GET", path, more, nullptr);
  }
  std::int32_t post(std::string_view path, std::string_view body, const Fields& more = {}) {
    bodies_.push_back(std::make_unique<std::string>(body));
    nghttp2_data_provider data;
    data.source.ptr = bodies_.back().get();
    data.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room,
                            std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      auto& rest = *static_cast<std::string*>(source->ptr);
      const std::size_t count = std::min(room, rest.size());
      std::memcpy(to, rest.data(), count);
      rest.erase(0, count);
      if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(count);
    };
    return ask("POST", path, more, &data);
  }
  std::int32_t ask(std::string_view method, std::string_view path, const Fields& more = {},
                   const nghttp2_data_provider* body = nullptr) {
    Fields fields = {{":method", std::string(method)},
                     {":scheme", "http"},
                     {":authority", "localhost"},
                     {":path", std::string(path)}};
    fields.insert(fields.end(), more.begin(), more.end());
    return submit(fields, body);
  }
  std::int32_t submit(const Fields& fields, const nghttp2_data_provider* body = nullptr) {
    std::vector<nghttp2_nv> list;
    for (const auto& [name, value] : fields) {
      list.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), 0});
    }
    return nghttp2_submit_request(session_, nullptr, list.data(), list.size(), body, nullptr);
  }
  void reset(std::int32_t id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
  void open_window(std::int32_t id, int bytes) {
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, id, bytes);
  }

  // What it has to say.
  std::string bytes() {
    std::string all;
    const std::uint8_t* piece = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &piece)) > 0;) {
      all.append(reinterpret_cast<const char*>(piece), static_cast<std::size_t>(size));
    }
    return all;
  }
  // False when it is no HTTP/2.
  bool give(std::string_view bytes) {
    return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size()) == static_cast<ssize_t>(bytes.size());
  }

  std::map<std::int32_t, Answer> answers;
  int goaways = 0;
  std::uint32_t goaway_error = 0;
  std::int32_t goaway_last_id = 0;
  std::size_t data_frames = 0;
  std::uint32_t streams_max() const {
    return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }

 private:
  static std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }
  static Http2Client& of(void* user) { return *static_cast<Http2Client*>(user); }
  static std::string text(const std::uint8_t* at, std::size_t size) {
    return {reinterpret_cast<const char*>(at), size};
  }
  static void set(nghttp2_session_callbacks* callbacks) {
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* user) {
          Answer& answer = of(user).answers[frame->hd.stream_id];
          const bool trailer = frame->headers.cat == NGHTTP2_HCAT_HEADERS;
          (trailer ? answer.trailers : answer.headers)
              .emplace_back(text(name, name_size), text(value, value_size));
          if (answer.headers.back().first == ":status") {
            answer.status = std::stoi(answer.headers.back().second);
          }
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                      std::size_t size, void* user) {
          of(user).answers[id].body.append(reinterpret_cast<const char*>(bytes), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
          of(user).answers[id].closed = true;
          of(user).answers[id].error = error;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          if (frame->hd.type == NGHTTP2_DATA) ++of(user).data_frames;
          if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
          ++of(user).goaways;
          of(user).goaway_error = frame->goaway.error_code;
          of(user).goaway_last_id = frame->goaway.last_stream_id;
          return 0;
        });
  }

  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<std::string>> bodies_;
};

// One frame by hand, for what no proper client says.
inline std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id,
                               std::string_view payload = {}) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(id >> shift);
  return frame.append(payload);
}

// A client that speaks by hand begins with this: its preface and empty SETTINGS.
inline std::string http2_begin() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(NGHTTP2_SETTINGS, 0, 0);
}

// "GET /" of "localhost" over http, without Huffman codes and without use of the dynamic table.
inline std::string http2_get_fields() {
  return std::string("\x82\x86\x84\x01\x09", 5) + "localhost";
}

}  // namespace flagstone::net
