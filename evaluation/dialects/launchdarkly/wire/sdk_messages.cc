#include "evaluation/dialects/launchdarkly/wire/sdk_messages.h"

#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

std::string_view path_of(StreamPaths paths, RecordKind kind) {
  if (paths == StreamPaths::kFlagsOnly) return "/";
  return kind == kFlagKind ? "/flags/" : "/segments/";
}

std::string_view name_of(RecordKind kind) { return kind == kFlagKind ? "flag" : "segment"; }

std::string_view name_of(Intent intent) {
  switch (intent) {
    case Intent::kNone:
      return "none";
    case Intent::kChanges:
      return "xfer-changes";
    case Intent::kFull:
      return "xfer-full";
  }
  return {};
}

void append_path(std::string& out, StreamPaths paths, const ServedObject& object) {
  // The key is written as part of the JSON string that the path is; it is no JSON pointer.
  std::string path(path_of(paths, object.kind));
  path += object.key;
  out += "{\"path\":";
  append_json_string(out, path);
}

void begin_event(std::string& out, Delivery delivery, std::string_view name) {
  if (delivery == Delivery::kStream) {
    out.append("event: ").append(name).append("\ndata: ");
  } else {
    out.append("{\"event\":\"").append(name).append("\",\"data\":");
  }
}

void end_event(std::string& out, Delivery delivery) {
  out += delivery == Delivery::kStream ? "\n\n" : "}";
}

// All events but a transfer's first one come behind another.
void begin_next_event(std::string& out, Delivery delivery, std::string_view name) {
  if (delivery == Delivery::kPoll) out += ',';
  begin_event(out, delivery, name);
}

void append_object_head(std::string& out, const ServedObject& object) {
  out.append("{\"version\":").append(std::to_string(object.version));
  out.append(",\"kind\":\"").append(name_of(object.kind)).append("\",\"key\":");
  append_json_string(out, object.key);
}

}  // namespace

void append_event_data(std::string& out, std::string_view json) {
  // Most texts are one line, and to look for a single byte is fast.
  if (json.find('\n') == std::string_view::npos && json.find('\r') == std::string_view::npos) {
    out += json;
    return;
  }
  // Outside of strings, where JSON allows no line break, one more or less is the same.
  for (;;) {
    const std::size_t at = json.find_first_of("\r\n");
    out += json.substr(0, at);
    if (at == std::string_view::npos) return;
    out += "\ndata: ";
    const bool both = json[at] == '\r' && at + 1 < json.size() && json[at + 1] == '\n';
    json.remove_prefix(at + (both ? 2 : 1));
  }
}

void append_patch(std::string& out, StreamPaths paths, const ServedObject& object) {
  begin_event(out, Delivery::kStream, "patch");
  append_path(out, paths, object);
  out += ",\"data\":";
  append_event_data(out, object.raw);
  out += '}';
  end_event(out, Delivery::kStream);
}

void append_delete(std::string& out, StreamPaths paths, const ServedObject& object) {
  begin_event(out, Delivery::kStream, "delete");
  append_path(out, paths, object);
  out.append(",\"version\":").append(std::to_string(object.version)).append("}");
  end_event(out, Delivery::kStream);
}

std::string_view stream_comment() { return ":\n\n"; }

void append_intent(std::string& out, Delivery delivery, Intent intent, std::string_view reason,
                   const TransferTarget& target) {
  begin_event(out, delivery, "server-intent");
  out += "{\"payloads\":[{\"id\":";
  append_json_string(out, target.payload_id);
  out.append(",\"target\":").append(std::to_string(target.version));
  out.append(",\"intentCode\":\"").append(name_of(intent));
  out.append("\",\"reason\":\"").append(reason).append("\"}]}");
  end_event(out, delivery);
}

void append_put_object(std::string& out, Delivery delivery, const ServedObject& object) {
  begin_next_event(out, delivery, "put-object");
  append_object_head(out, object);
  out += ",\"object\":";
  if (delivery == Delivery::kStream) {
    append_event_data(out, object.raw);
  } else {
    out += object.raw;
  }
  out += '}';
  end_event(out, delivery);
}

void append_delete_object(std::string& out, Delivery delivery, const ServedObject& object) {
  begin_next_event(out, delivery, "delete-object");
  append_object_head(out, object);
  out += '}';
  end_event(out, delivery);
}

void append_transferred(std::string& out, Delivery delivery, const TransferTarget& target) {
  begin_next_event(out, delivery, "payload-transferred");
  out += "{\"state\":";
  append_json_string(out, target.state);
  out.append(",\"version\":").append(std::to_string(target.version)).append("}");
  end_event(out, delivery);
}

std::string_view poll_begin() { return "{\"events\":["; }
std::string_view poll_end() { return "]}"; }
std::string_view heartbeat_event() { return "event: heart-beat\ndata: {}\n\n"; }

void append_goodbye(std::string& out, std::string_view reason) {
  begin_event(out, Delivery::kStream, "goodbye");
  out += "{\"reason\":";
  append_json_string(out, reason);
  out += ",\"silent\":true,\"catastrophe\":false}";
  end_event(out, Delivery::kStream);
}

}  // namespace flagstone::evaluation::launchdarkly
