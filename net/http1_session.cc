#include "net/http1_session.h"

#include <cassert>

#include "net/ascii.h"
#include "net/http1_target.h"

namespace flagstone::net {
namespace {

// What may well arrive at once, and then holds nothing.
constexpr std::uint64_t kSmallBodyBytes = 16 * 1024;
constexpr const char* kTooMuchHeld = "too many requests are half received; try again";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

// Trampolines only.
struct Http1Session::Parser {
  static Http1Session& of(llhttp_t* parser) { return *static_cast<Http1Session*>(parser->data); }
  template <int (Http1Session::*member)()>
  static int event(llhttp_t* parser) {
    return (of(parser).*member)();
  }
  template <int (Http1Session::*member)(std::string_view)>
  static int data(llhttp_t* parser, const char* at, std::size_t size) {
    return (of(parser).*member)({at, size});
  }
  static llhttp_settings_t settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    watch_protocol(settings);
    settings.on_message_begin = event<&Http1Session::begin_request>;
    settings.on_url = data<&Http1Session::add_target>;
    settings.on_header_field = data<&Http1Session::add_field_name>;
    settings.on_header_field_complete = event<&Http1Session::end_field_name>;
    settings.on_header_value = data<&Http1Session::add_field_value>;
    settings.on_headers_complete = event<&Http1Session::end_header>;
    settings.on_body = data<&Http1Session::add_body>;
    // Each request is answered before the next one is looked at.
    settings.on_message_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
    return settings;
  }
  // llhttp reads RTSP and ICE, too. Before 9.3 it does not tell, and such a request passes for
  // HTTP/1.0.
  template <typename Settings>
  static void watch_protocol(Settings& settings) {
    if constexpr (requires { settings.on_protocol; }) {
      settings.on_protocol = data<&Http1Session::check_protocol>;
    }
  }
  static const llhttp_settings_t kSettings;
};
const llhttp_settings_t Http1Session::Parser::kSettings = Parser::settings();

Http1Session::Http1Session(SessionResources& resources, SessionHost& host, unsigned listener_index,
                           ListenerKind listener_kind)
    : resources_(resources),
      host_(host),
      listener_index_(listener_index),
      listener_kind_(listener_kind) {
  llhttp_init(&parser_, HTTP_REQUEST, &Parser::kSettings);
  parser_.data = this;
}

Http1Session::~Http1Session() {
  if (store_ != nullptr) resources_.give_back(std::move(store_));
  if (deferral_ != nullptr) std::exchange(deferral_, nullptr)->lost();
  if (stream_ == nullptr) return;
  resources_.counters.event_streams.subtract();
  std::exchange(stream_, nullptr)->lost();
}

Method Http1Session::method_of(const llhttp_t& parser) {
  switch (llhttp_get_method(const_cast<llhttp_t*>(&parser))) {
    case HTTP_GET:
      return Method::kGet;
    case HTTP_HEAD:
      return Method::kHead;
    case HTTP_POST:
      return Method::kPost;
    case HTTP_PUT:
      return Method::kPut;
    case HTTP_PATCH:
      return Method::kPatch;
    case HTTP_DELETE:
      return Method::kDelete;
    case HTTP_OPTIONS:
      return Method::kOptions;
    case HTTP_REPORT:
      return Method::kReport;
    default:
      return Method::kOther;
  }
}

std::size_t Http1Session::consume(std::string_view bytes, std::string& output) {
  output_ = &output;
  std::size_t used = 0;
  while (used < bytes.size() && phase_ < SessionPhase::kAnswering &&
         output.size() < kOutputBytesPerWrite) {
    const std::string_view rest = bytes.substr(used);
    const std::size_t answered =
        phase_ == SessionPhase::kIdle && parser_fresh_ ? answer_known(rest) : 0;
    used += answered > 0 ? answered : parse(rest);
  }
  output_ = nullptr;
  return used;
}

// A request whose header has come before, and whose body is here: the parser would find what it
// found then, and be again where it is now. 0: it is to be asked.
std::size_t Http1Session::answer_known(std::string_view bytes) {
  const Http1KnownHeader* known = resources_.known_headers.find(bytes);
  if (known == nullptr) return 0;
  const std::string_view behind = bytes.substr(known->bytes.size());
  const std::size_t length = known->content_length;
  const bool is_small = length <= kSmallBodyBytes && length <= resources_.limits.body_bytes_max;
  if (!is_small || behind.size() < length) return 0;
  ++requests_begun_;
  phase_ = SessionPhase::kBody;
  method_ = known->request.method;
  keep_alive_ = true;
  is_http10_ = false;
  Request request = known->request;
  add_connection(request);
  request.body = behind.substr(0, length);
  answer(request, known);
  return known->bytes.size() + length;
}

std::size_t Http1Session::parse(std::string_view bytes) {
  const bool from_start = phase_ == SessionPhase::kIdle && parser_fresh_;
  parser_fresh_ = false;
  const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
  if (error == HPE_PAUSED) {
    const char* end = llhttp_get_error_pos(&parser_);
    llhttp_resume(&parser_);
    parser_fresh_ = true;
    const auto used = static_cast<std::size_t>(end - bytes.data());
    if (from_start && memorable_) remember_header(bytes.substr(0, used - body_bytes_));
    answer_request();
    return used;
  }
  if (error == HPE_OK) {
    keep_partial_body();
    // Spans count names and values only; white space between them must be bounded as well.
    if (phase_ == SessionPhase::kHeader) {
      header_bytes_ += static_cast<std::uint32_t>(bytes.size());
      if (header_bytes_ <= resources_.limits.header_bytes_max) return bytes.size();
      refuse_later(431, "the request's header is too large");
    } else {
      return bytes.size();
    }
  }
  fail(error);
  return bytes.size();
}

void Http1Session::remember_header(std::string_view bytes) {
  resources_.known_headers.remember(bytes, make_request(), *store_, body_bytes_);
}

int Http1Session::begin_request() {
  ++requests_begun_;
  phase_ = SessionPhase::kHeader;
  store_ = resources_.take_store();
  body_bytes_ = 0;
  target_bytes_ = header_bytes_ = 0;
  protocol_bytes_ = 0;
  body_in_place_ = path_ = query_ = host_text_ = {};
  method_ = Method::kOther;
  in_field_name_ = keep_alive_ = is_http10_ = memorable_ = false;
  return 0;
}

int Http1Session::add_target(std::string_view piece) {
  store_->text.append(piece);
  if (store_->text.size() > resources_.limits.target_bytes_max) {
    return refuse_later(414, "the request's target is too long");
  }
  target_bytes_ = static_cast<std::uint32_t>(store_->text.size());
  return 0;
}

int Http1Session::check_protocol(std::string_view piece) {
  constexpr std::string_view kProtocol = "HTTP";
  if (!kProtocol.substr(protocol_bytes_).starts_with(piece)) {
    return refuse_later(400, "only HTTP is spoken here");
  }
  protocol_bytes_ = static_cast<std::uint8_t>(protocol_bytes_ + piece.size());
  return 0;
}

int Http1Session::add_field_name(std::string_view piece) {
  if (phase_ == SessionPhase::kBody) return 0;  // a trailer: read over, bounded by the body's time
  std::string& text = store_->text;
  if (!in_field_name_) {
    in_field_name_ = true;
    if (store_->fields.size() >= resources_.limits.header_count_max) {
      return refuse_later(431, "the request has too many header fields");
    }
    const auto begin = static_cast<std::uint32_t>(text.size());
    store_->fields.push_back({begin, begin, begin});
  }
  append_lower(piece, text);
  if (text.size() > resources_.limits.header_bytes_max) {
    return refuse_later(431, "the request's header is too large");
  }
  return 0;
}

int Http1Session::end_field_name() {
  if (phase_ == SessionPhase::kBody) return 0;
  in_field_name_ = false;
  RequestStore::Field& field = store_->fields.back();
  field.name_end = field.value_end = static_cast<std::uint32_t>(store_->text.size());
  return 0;
}

int Http1Session::add_field_value(std::string_view piece) {
  if (phase_ == SessionPhase::kBody) return 0;
  store_->text.append(piece);
  if (store_->text.size() > resources_.limits.header_bytes_max) {
    return refuse_later(431, "the request's header is too large");
  }
  store_->fields.back().value_end = static_cast<std::uint32_t>(store_->text.size());
  return 0;
}

void Http1Session::make_views() {
  const std::string_view text = store_->text;
  for (const RequestStore::Field& field : store_->fields) {
    store_->views.push_back(
        {text.substr(field.name_begin, field.name_end - field.name_begin),
         trimmed(text.substr(field.name_end, field.value_end - field.name_end))});
  }
}

int Http1Session::end_header() {
  phase_ = SessionPhase::kBody;
  method_ = method_of(parser_);
  make_views();
  if (const int refused = check_header(); refused != 0) return refused;
  if (const int refused = check_fields(); refused != 0) return refused;
  keep_alive_ = llhttp_should_keep_alive(&parser_) != 0;
  memorable_ = memorable_ && keep_alive_ && !is_http10_ && parser_.upgrade == 0;
  // An upgrade is an offer that may be ignored (RFC 9110, 7.8): the request is answered as if it
  // were not there, and llhttp must go on reading HTTP.
  parser_.upgrade = 0;
  return 0;
}

// The request line: version, method and target.
int Http1Session::check_header() {
  const int major = llhttp_get_http_major(&parser_);
  const int minor = llhttp_get_http_minor(&parser_);
  if (major != 1 || minor > 1) return refuse_later(505, kVersionRefused);
  is_http10_ = minor == 0;
  if (llhttp_get_method(&parser_) == HTTP_CONNECT) return refuse_later(501, "this is no proxy");
  const std::string_view target = std::string_view(store_->text).substr(0, target_bytes_);
  const std::optional<Http1Target> parts = parse_http1_target(target, method_);
  if (!parts) return refuse_later(400, "the request's target is malformed");
  path_ = parts->path;
  query_ = parts->query;
  host_text_ = parts->authority;
  return 0;
}

// The fields that decide about the message itself.
int Http1Session::check_fields() {
  int hosts = 0;
  bool expects_continue = false;
  for (const auto& [name, value] : store_->views) {
    if (name == "host") {
      if (++hosts > 1) return refuse_later(400, "the request has more than one Host");
      if (!is_host_text(value)) return refuse_later(400, "the Host is malformed");
      if (host_text_.empty()) host_text_ = value;
    } else if (name == "transfer-encoding") {
      // What leaves the body's end open is an error; codings before chunked we do not undo.
      if (is_http10_ || (parser_.flags & F_CHUNKED) == 0) {
        return refuse_later(400, "the Transfer-Encoding is malformed");
      }
      if (!equal_ignoring_case(value, "chunked"))
        return refuse_later(501, "only chunked is understood");
    } else if (name == "expect") {
      if (!equal_ignoring_case(value, "100-continue"))
        return refuse_later(417, "only 100-continue is known");
      expects_continue = !is_http10_;
    }
  }
  if (hosts == 0 && !is_http10_) return refuse_later(400, "the request has no Host");
  const std::size_t body_max = resources_.limits.body_bytes_max_of(path_);
  if (parser_.content_length > body_max)
    return refuse_later(413, "the request's body is too large");
  if (parser_.content_length > kSmallBodyBytes && connections_hold_too_much()) {
    return refuse_later(503, kTooMuchHeld);
  }
  memorable_ = !expects_continue && (parser_.flags & F_CHUNKED) == 0 &&
               parser_.content_length <= kSmallBodyBytes;
  if (expects_continue) output_->append("HTTP/1.1 100 Continue\r\n\r\n");
  return 0;
}

int Http1Session::add_body(std::string_view piece) {
  body_bytes_ += piece.size();
  const HttpLimits& limits = resources_.limits;
  if (body_bytes_ > limits.body_bytes_max && body_bytes_ > limits.body_bytes_max_of(path_)) {
    return refuse_later(413, "the request's body is too large");
  }
  if (body_in_place_.data() == nullptr && store_->body.empty()) {
    body_in_place_ = piece;
    return 0;
  }
  if (connections_hold_too_much()) return refuse_later(503, kTooMuchHeld);
  keep_partial_body();
  store_->body.append(piece);
  return 0;
}

bool Http1Session::connections_hold_too_much() const {
  return resources_.counters.bytes_buffered.read() > resources_.buffered_bytes_max();
}

// The bytes under the body are about to go, or more of it has come from elsewhere.
void Http1Session::keep_partial_body() {
  if (body_in_place_.data() == nullptr) return;
  store_->body.append(body_in_place_);
  body_in_place_ = {};
}

int Http1Session::refuse_later(int status, const char* reason) {
  refusal_status_ = status;
  refusal_reason_ = reason;
  return -1;
}

Request Http1Session::make_request() const {
  Request request;
  request.method = method_;
  request.path = path_;
  request.query = query_;
  request.host = host_text_;
  request.version = is_http10_ ? HttpVersion::k10 : HttpVersion::k11;
  add_connection(request);
  if (store_ == nullptr) return request;
  request.method_text = llhttp_method_name(
      static_cast<llhttp_method_t>(llhttp_get_method(const_cast<llhttp_t*>(&parser_))));
  request.headers = store_->views;
  return request;
}

void Http1Session::add_connection(Request& request) const {
  request.listener_index = listener_index_;
  request.listener_kind = listener_kind_;
  request.over_tls = host_.over_tls();
  request.peer_is_local = host_.peer_is_local();
}

}  // namespace flagstone::net
