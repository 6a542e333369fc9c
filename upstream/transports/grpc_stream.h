// Keeps one gRPC server stream open; every message on it is a document, the newest one the truth.
//
// Knows no vendor: what is inside a message is the sink's to read. Owned by a source, on the
// keeper's loop. What comes while a document is in work waits, up to a bound of bytes and of time;
// beyond that the stream is cut, and opened again when the work is done, which brings the newest at
// once. A stream that ends is opened again, after a while if it was no orderly end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/rpc/status.h"
#include "net/timer.h"
#include "upstream/backoff.h"
#include "upstream/document_sink.h"
#include "upstream/grpc_frames.h"
#include "upstream/http_client.h"
#include "upstream/transports/transport.h"

namespace flagstone::upstream {

struct GrpcStreamOptions {
  std::string url;  // With the method's path.
  std::string unix_socket;
  std::string body;                // The request, framed.
  std::string unimplemented_hint;  // What to say when nobody there knows the method.
  std::string ca_file;
  std::string client_certificate_file;
  std::string client_key_file;
  std::string proxy;
  std::uint64_t message_bytes_max = 64 * 1024 * 1024;
  milliseconds connect{5'000};
  // From connecting to the first message's end, and from a message's begin to its end. Zero: ever.
  milliseconds message{30'000};
  milliseconds keep_alive{20'000};
  milliseconds unacknowledged{60'000};
  // A document that is longer in work than this costs the stream, and so do more bytes behind it.
  milliseconds stall{30'000};
  std::size_t waiting_bytes_max = 256 * 1024;
  // Until a document that was held or refused is asked for again.
  milliseconds reopen{30'000};
  BackoffOptions backoff;
};

class GrpcStream final : public Transport, private HttpReceiver {
 public:
  // The request's own headers, asked for before each request; the error is why there are none.
  using MakeHeaders = std::function<std::expected<std::vector<HttpHeader>, std::string>()>;

  GrpcStream(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
             GrpcStreamOptions options, MakeHeaders make_headers, DocumentSink& sink);
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;
  // With another credential or other headers: as refresh(), and what was denied counts no more.
  void ask_anew();
  // Where a failure is likely to last and the next try is far, it comes at once; else nothing.
  void try_now();
  // The last connection ended by such a failure.
  bool is_denied() const { return denied_; }

 private:
  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view piece) override;
  void on_trailers(const std::vector<HttpHeader>& trailers) override;
  void on_end(const std::optional<HttpError>& error) override;

  void connect();
  void close();
  void take(std::string_view bytes);
  void begin_message(const GrpcPart& part);
  void take_piece(std::string_view piece);
  void end_message();
  void resume();
  void note_status(const std::vector<HttpHeader>& headers);
  void judge_end(const std::optional<HttpError>& error);
  void judge_status();
  bool lived_well() const;
  void reconnect_quietly();
  void document_failed(std::string cause);
  void fail(FailureKind kind, std::string cause);
  milliseconds wait_after(FailureKind kind);

  HttpClient& http_;
  const Clock& clock_;
  RandomSource& random_;
  GrpcStreamOptions options_;
  MakeHeaders make_headers_;
  DocumentSink& sink_;
  Backoff backoff_;
  net::Timer connect_;  // Opens the stream, and cuts the one that is open.
  net::Timer message_;  // Limits a message's time.
  net::Timer stall_;    // Limits a document's time in work.
  net::Timer resume_;   // Reads on after it.

  bool running_ = false;
  bool denied_ = false;
  bool in_work_ = false;
  bool ask_again_ = false;  // refresh() came while a document was in work.
  bool taking_ = false;     // take() is on the stack.
  std::unique_ptr<HttpExchange> exchange_;
  TimePoint opened_{};
  GrpcFrames frames_;
  bool skipping_ = false;     // The sink did not like this message.
  std::size_t messages_ = 0;  // Of this stream.
  std::string waiting_;       // What came after a document that is in work.
  std::optional<std::optional<HttpError>> waiting_end_;  // And that the stream ended.
  int http_status_ = 0;
  std::optional<milliseconds> retry_after_;
  std::optional<net::RpcCode> status_;
  std::string status_message_;
  std::string content_type_;
};

}  // namespace flagstone::upstream
