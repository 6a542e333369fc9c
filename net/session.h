// One connection's protocol: bytes in, bytes out, no socket.
//
// Owned by the connection, the loop's thread only. HTTP/1.1 is one implementation, HTTP/2 another;
// which one a connection gets is decided in session_choice.cc and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flagstone::net {

// What a session needs of the connection that carries it. The connection outlives the session.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // For what is said outside consume(), by event streams: goes out at the end of this turn.
  virtual void send_later(std::string_view bytes) = 0;
  // Bytes that the peer has not taken yet.
  virtual std::size_t unsent_bytes() const = 0;
  // The session stopped consuming before, and can go on now: at the end of this turn.
  virtual void resume_later() = 0;
  // The session has more to say than it could put into consume()'s output: produce() is called at
  // the end of this turn, if the peer takes bytes.
  virtual void produce_later() = 0;
  // The peer is this machine.
  virtual bool peer_is_local() const = 0;
  // What the session says goes out encrypted, and its peer has seen our certificate.
  virtual bool over_tls() const { return false; }
};

enum class SessionPhase : std::uint8_t {
  kIdle,       // between requests
  kHeader,     // some bytes of a request's header have come
  kBody,       // the header is complete, the body not
  kAnswering,  // requests are complete, and at least one waits for its api's deferred answer
  kStreaming,  // an event stream is open, and nothing else waits for an api
  kDone,       // close once the output is written: the peer asked for it or we announced it
  kFailed,     // close likewise, but the peer may still be sending, and must be let read our answer
  kCut,        // close likewise, and wait for nothing: the peer floods us
};

class Session {
 public:
  virtual ~Session() = default;  // open event streams learn that they are closed

  // Eats bytes and appends answers to `output`. Returns how many bytes it took: fewer than given
  // when it streams, is done, or has filled `output` to kOutputBytesPerWrite; the rest is to be
  // offered again. Request::kBodyPaddingBytes behind `bytes` must be readable.
  virtual std::size_t consume(std::string_view bytes, std::string& output) = 0;
  static constexpr std::size_t kOutputBytesPerWrite = 256 * 1024;

  // Appends what waits to be said, until `output` holds kOutputBytesPerWrite. Called after
  // produce_later(), and whenever the peer has taken enough for more to go: a session that makes
  // its output on demand (HTTP/2's DATA, TLS records) holds no bytes that the peer does not read.
  virtual void produce(std::string& output) = 0;

  virtual SessionPhase phase() const = 0;
  // Whether consume() would take bytes now, phases after kStreaming apart. HTTP/1 stops while an
  // answer is deferred or an event stream is open, HTTP/2 does not.
  virtual bool takes_bytes() const { return phase() < SessionPhase::kAnswering; }
  // An api has yet to give a deferred answer, which peers that say nothing more get all the same.
  virtual bool owes_answer() const { return phase() == SessionPhase::kAnswering; }
  // Answers that are complete here and that the peer's flow control holds back, and how much has
  // been let go so far: the write stall limit is for those as for bytes in the socket.
  virtual std::size_t waiting_bytes() const { return 0; }
  virtual std::uint64_t said_bytes() const { return 0; }
  // Changes with each request begun, so that the connection can tell one kHeader from the next.
  virtual std::uint32_t requests_begun() const = 0;
  // Memory that a half-read request holds.
  virtual std::size_t held_bytes() const = 0;

  virtual void output_drained() = 0;  // few enough bytes are unsent for refused streams to go on
  // The next answer is the last. Called again when the peer had time to hear of it: what has not
  // begun by then is not taken any more (HTTP/2).
  virtual void finish_soon() = 0;
  // The connection is about to be closed, nothing being asked: true when there is something to say
  // before (HTTP/2's GOAWAY), by produce(). Called again when the peer had time to hear it.
  virtual bool say_farewell() { return false; }
  // Properly, as if the api had; their owners are told. Finite ones go on.
  virtual void end_event_streams() = 0;
};

}  // namespace flagstone::net
