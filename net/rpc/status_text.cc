#include "net/rpc/status_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "net/rpc/framing.h"

namespace flagstone::net {
namespace {

char hex(unsigned value) { return "0123456789ABCDEF"[value & 0xf]; }

// What leads a sequence of UTF-8: its length, and which second bytes may follow (that excludes
// overlong forms, surrogates and what is beyond U+10FFFF).
struct Lead {
  unsigned first, last;
  unsigned length;
  unsigned second_min, second_max;
};
constexpr std::array<Lead, 9> kLeads = {{
    {0x00, 0x7f, 1, 0, 0},
    {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
}};

// The length of the sequence that `text` begins with; 0 when it begins with none.
std::size_t utf8_length(std::string_view text) {
  const unsigned first = static_cast<unsigned char>(text[0]);
  const auto* const lead = std::ranges::find_if(
      kLeads, [&](const Lead& one) { return first >= one.first && first <= one.last; });
  if (lead == kLeads.end() || text.size() < lead->length) return 0;
  for (unsigned i = 1; i < lead->length; ++i) {
    const unsigned byte = static_cast<unsigned char>(text[i]);
    const unsigned least = i == 1 ? lead->second_min : 0x80;
    const unsigned most = i == 1 ? lead->second_max : 0xbf;
    if (byte < least || byte > most) return 0;
  }
  return lead->length;
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out.append("\\ufffd");
    } else if (first < 0x20) {
      out.append("\\u00").push_back(hex(first >> 4U));
      out.push_back(hex(first));
    } else {
      if (first == '"' || first == '\\') out.push_back('\\');
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out.push_back('"');
}

}  // namespace

void append_grpc_message(std::string_view message, std::string& out) {
  for (const char c : message) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(hex(byte >> 4U));
    out.push_back(hex(byte));
  }
}

void append_web_trailers(RpcCode code, std::string_view message, std::string& out) {
  const std::size_t begin = begin_frame(out);
  out.append("grpc-status:").append(grpc_status_text(code)).append("\r\n");
  if (code != RpcCode::kOk) {
    out.append("grpc-message:");
    append_grpc_message(message, out);
    out.append("\r\n");
  }
  end_frame(begin, kFlagWebTrailers, out);
}

void append_connect_error(RpcCode code, std::string_view message, std::string& out) {
  out.append(R"({"code":")").append(connect_code_name(code)).append(R"(","message":)");
  append_json_string(message, out);
  out.push_back('}');
}

void append_connect_end(RpcCode code, std::string_view message, std::string& out) {
  const std::size_t begin = begin_frame(out);
  out.push_back('{');
  if (code != RpcCode::kOk) {
    out.append("\"error\":");
    append_connect_error(code, message, out);
  }
  out.push_back('}');
  end_frame(begin, kFlagConnectEnd, out);
}

}  // namespace flagstone::net
