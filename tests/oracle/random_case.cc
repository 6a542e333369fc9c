#include "tests/oracle/random_case.h"

#include "tests/oracle/random_json.h"
#include "tests/oracle/random_values.h"

namespace flagstone::oracle {
namespace {

constexpr std::size_t kFlags = 4;
constexpr std::size_t kSegments = 4;
constexpr std::size_t kContexts = 6;
constexpr std::size_t kVariations = 3;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Mostly one that exists.
std::string draw_variation(Draw& draw) {
  if (draw.one_in(30)) return std::string(draw.of({"-1", "3", "99", "1.5", "1e10", "-9e18"}));
  return std::to_string(draw.below(kVariations));
}

class Author {
 public:
  explicit Author(Draw& draw) : draw_(draw) {}

  std::string flag(std::string_view key);
  std::string segment(std::string_view key);
  std::string context();

 private:
  std::string clause();
  std::string clauses() {
    return list_of(draw_.below(3) + (draw_.one_in(4) ? 0 : 1), [this] { return clause(); });
  }
  std::string rollout();
  void choice(ObjectWriter& out);
  std::string rule();
  std::string target(bool for_context);
  std::string prerequisites();
  std::string keys(std::size_t most) {
    return list_of(draw_.below(most), [this] { return quoted(draw_key(draw_)); });
  }
  void bucket_by(ObjectWriter& out);
  std::string segment_rule();
  std::string segment_target();
  void attributes(ObjectWriter& out);
  std::string single(std::string_view kind, bool inner);
  std::string legacy_user();

  Draw& draw_;
};

std::string Author::clause() {
  ObjectWriter out(draw_);
  if (!draw_.one_in(3)) out.add_text("contextKind", draw_kind(draw_));
  const std::string_view op = draw_operator(draw_);
  // One that makes the flag malformed comes seldom, or few flags would get beyond it.
  std::string_view attribute = draw_attribute_for(op, draw_);
  if (attribute.empty() || attribute.starts_with("/bad") || attribute == "/" ||
      attribute == "//x" || attribute == "/x/") {
    if (!draw_.one_in(10)) attribute = "key";
  }
  if (attribute.empty() && draw_.one_in(2)) {
    out.add("attribute", "null");
  } else {
    out.add_text("attribute", attribute);
  }
  out.add_text("op", op);
  if (draw_.one_in(40)) {
    out.add("values", "null");
  } else {
    const std::size_t count = draw_.one_in(6) ? draw_.below(12) : draw_.below(3) + 1;
    out.add("values", list_of(count, [&] { return draw_value_for(op, draw_); }));
  }
  if (draw_.one_in(3)) out.add_flag("negate", draw_.one_in(2));
  return out.end();
}

void Author::bucket_by(ObjectWriter& out) {
  if (draw_.one_in(2)) return;
  if (draw_.one_in(8)) return out.add("bucketBy", "null");
  out.add_text("bucketBy", draw_.one_in(3) ? draw_attribute(draw_)
                                           : draw_.of({"key", "email", "age", "version"}));
}

std::string Author::rollout() {
  if (draw_.one_in(30)) return "null";
  ObjectWriter out(draw_);
  if (draw_.one_in(2)) out.add_text("kind", draw_.of({"experiment", "rollout", "odd"}));
  if (draw_.one_in(2)) out.add_text("contextKind", draw_kind(draw_));
  bucket_by(out);
  if (draw_.one_in(3)) out.add("seed", draw_.one_in(10) ? "null" : draw_integer(draw_));
  out.add("variations", list_of(draw_.one_in(25) ? 0 : draw_.below(4) + 1, [this] {
            ObjectWriter weighted(draw_);
            weighted.add("variation", draw_variation(draw_));
            weighted.add("weight",
                         draw_.one_in(3)
                             ? std::to_string(draw_.below(100001))
                             : std::string(draw_.of({"0", "10000", "33333", "50000", "42157",
                                                     "67085", "100000", "-5", "1", "12345.6"})));
            if (draw_.one_in(3)) weighted.add_flag("untracked", draw_.one_in(2));
            return weighted.end();
          }));
  return out.end();
}

void Author::choice(ObjectWriter& out) {
  if (draw_.one_in(60)) return;
  const bool both = draw_.one_in(40);
  const bool by_rollout = draw_.one_in(2);
  if (both || !by_rollout) out.add("variation", draw_variation(draw_));
  if (both || by_rollout) out.add("rollout", rollout());
}

std::string Author::rule() {
  ObjectWriter out(draw_);
  if (!draw_.one_in(4)) out.add_text("id", draw_.of({"r1", "r2", "", "rule-3"}));
  if (!draw_.one_in(30)) out.add("clauses", clauses());
  choice(out);
  if (draw_.one_in(4)) out.add_flag("trackEvents", draw_.one_in(2));
  return out.end();
}

std::string Author::target(bool for_context) {
  ObjectWriter out(draw_);
  if (for_context ? !draw_.one_in(4) : draw_.one_in(8)) {
    out.add_text("contextKind", draw_kind(draw_));
  }
  if (for_context && draw_.one_in(3)) {
    out.add("values", draw_.one_in(3) ? "null" : "[]");
  } else {
    out.add("values", keys(draw_.one_in(4) ? 12 : 3));
  }
  out.add("variation", draw_variation(draw_));
  return out.end();
}

std::string Author::prerequisites() {
  return list_of(draw_.below(3), [this] {
    ObjectWriter out(draw_);
    out.add_text("key", draw_.of({"f0", "f1", "f2", "f3", "f3", "f2", "gone"}));
    out.add("variation", draw_variation(draw_));
    return out.end();
  });
}

std::string Author::flag(std::string_view key) {
  ObjectWriter out(draw_);
  out.add_exactly("key", quoted(key));
  out.add("version", draw_integer(draw_));
  out.add_flag("on", !draw_.one_in(8));
  if (draw_.one_in(3)) out.add("prerequisites", draw_.one_in(20) ? "null" : prerequisites());
  if (draw_.one_in(3))
    out.add("targets", list_of(draw_.below(3), [this] { return target(false); }));
  if (draw_.one_in(4)) {
    out.add("contextTargets", list_of(draw_.below(4), [this] { return target(true); }));
  }
  if (!draw_.one_in(8)) out.add("rules", list_of(draw_.below(7), [this] { return rule(); }));
  ObjectWriter fallthrough(draw_);
  choice(fallthrough);
  if (!draw_.one_in(40)) out.add("fallthrough", fallthrough.end());
  if (!draw_.one_in(4)) {
    out.add("offVariation", draw_.one_in(10) ? "null" : draw_variation(draw_));
  }
  out.add("variations", draw_.one_in(60) ? "null" : R"([true,"b",{"c":[1,null]}])");
  if (!draw_.one_in(5)) out.add_text("salt", draw_.of({"salt", "saltyA", ""}));
  if (draw_.one_in(4)) out.add_flag("trackEventsFallthrough", draw_.one_in(2));
  if (draw_.one_in(8)) out.add("debugEventsUntilDate", draw_.one_in(2) ? "null" : "1700000000000");
  if (draw_.one_in(8)) out.add("clientSideAvailability", R"({"usingMobileKey":true})");
  if (draw_.one_in(8)) out.add("migration", draw_.one_in(2) ? "null" : R"({"checkRatio":10})");
  if (draw_.one_in(8)) out.add("samplingRatio", "10");
  if (draw_.one_in(8)) out.add("unknown", R"({"any":["thing",1]})");
  return out.end();
}

std::string Author::segment_target() {
  ObjectWriter out(draw_);
  if (!draw_.one_in(4)) out.add_text("contextKind", draw_kind(draw_));
  out.add("values", keys(4));
  return out.end();
}

std::string Author::segment_rule() {
  ObjectWriter out(draw_);
  if (draw_.one_in(3)) out.add_text("id", "x");
  if (!draw_.one_in(20)) out.add("clauses", clauses());
  if (draw_.one_in(2)) {
    out.add("weight", draw_.one_in(10) ? "null" : std::to_string(draw_.below(100001)));
  }
  bucket_by(out);
  if (draw_.one_in(3)) out.add_text("rolloutContextKind", draw_kind(draw_));
  return out.end();
}

std::string Author::segment(std::string_view key) {
  ObjectWriter out(draw_);
  out.add_exactly("key", quoted(key));
  out.add("version", draw_integer(draw_));
  if (draw_.one_in(2)) out.add("included", draw_.one_in(20) ? "null" : keys(3));
  if (draw_.one_in(3)) out.add("excluded", keys(3));
  if (draw_.one_in(3)) {
    out.add("includedContexts", list_of(draw_.below(3), [this] { return segment_target(); }));
  }
  if (draw_.one_in(3)) {
    out.add("excludedContexts", list_of(draw_.below(3), [this] { return segment_target(); }));
  }
  if (!draw_.one_in(4))
    out.add("rules", list_of(draw_.below(3), [this] { return segment_rule(); }));
  if (!draw_.one_in(4)) out.add_text("salt", draw_.of({"salt", ""}));
  if (draw_.one_in(6)) {
    out.add_flag("unbounded", !draw_.one_in(4));
    if (draw_.one_in(2)) out.add("generation", draw_.one_in(6) ? "null" : "2");
    if (draw_.one_in(2)) out.add_text("unboundedContextKind", draw_kind(draw_));
  }
  return out.end();
}

void Author::attributes(ObjectWriter& out) {
  for (const std::string_view name : {"email", "age", "tags", "date", "version", "address", "a/b",
                                      "a~b", "targetingKey", "/bad~2", "privateAttributes"}) {
    if (draw_.one_in(3)) continue;
    if (name == "age") {
      out.add(name, draw_value_for("lessThan", draw_));
    } else if (name == "date") {
      out.add(name, draw_value_for("before", draw_));
    } else if (name == "version") {
      out.add(name, draw_value_for("semVerEqual", draw_));
    } else if (name == "email") {
      out.add(name, draw_value_for("startsWith", draw_));
    } else if (name == "tags") {
      out.add(name, list_of(draw_.below(4), [this] { return draw_value(draw_); }));
    } else {
      out.add(name, draw_value(draw_));
    }
  }
}

// Of one kind; an inner one has its kind from outside.
std::string Author::single(std::string_view kind, bool inner) {
  ObjectWriter out(draw_);
  if (!inner) out.add_text("kind", kind);
  std::string_view key = draw_key(draw_);
  if (key.empty() && !draw_.one_in(10)) key = "a";
  out.add_text("key", key);
  if (draw_.one_in(4)) out.add("name", draw_.one_in(8) ? "null" : "\"abc\"");
  if (draw_.one_in(4)) out.add_flag("anonymous", draw_.one_in(2));
  if (draw_.one_in(8)) out.add("_meta", R"({"privateAttributes":["/x"],"other":1})");
  attributes(out);
  return out.end();
}

std::string Author::legacy_user() {
  ObjectWriter out(draw_);
  out.add_text("key", draw_key(draw_));
  for (const std::string_view name :
       {"name", "firstName", "lastName", "email", "country", "avatar", "ip", "secondary"}) {
    if (draw_.one_in(3)) out.add(name, draw_.one_in(8) ? "null" : R"("x@example.org")");
  }
  if (draw_.one_in(4)) out.add("anonymous", draw_.of({"true", "false", "null"}));
  if (draw_.one_in(2)) {
    ObjectWriter custom(draw_);
    attributes(custom);
    if (draw_.one_in(6)) custom.add_text("name", "hidden");
    if (draw_.one_in(6)) custom.add_text("kind", "hidden");
    out.add("custom", custom.end());
  }
  if (draw_.one_in(6)) out.add("privateAttributeNames", R"(["email","x"])");
  if (draw_.one_in(6)) out.add("unknown", "[1]");
  return out.end();
}

std::string Author::context() {
  switch (draw_.below(8)) {
    case 0:
      return legacy_user();
    case 1:
    case 2:
    case 3: {
      ObjectWriter out(draw_);
      out.add_text("kind", "multi");
      for (const std::string_view kind : {"user", "org", "device"}) {
        if (!draw_.one_in(3)) out.add(kind, single(kind, true));
      }
      return out.end();
    }
    default: {
      const std::string_view kind =
          draw_.one_in(40) ? draw_.of({"", "kind", "a b", "multi"}) : draw_kind(draw_);
      return single(kind.empty() && !draw_.one_in(20) ? "user" : kind, false);
    }
  }
}

std::string json_of(const std::vector<RandomCase::Named>& records) {
  std::size_t i = 0;
  return list_of(records.size(), [&] {
    const auto& [key, text] = records[i++];
    return "[\"" + key + "\"," + text + "]";
  });
}

}  // namespace

std::string RandomCase::json() const {
  std::size_t i = 0;
  return "{\"flags\":" + json_of(flags) + ",\"segments\":" + json_of(segments) +
         ",\"contexts\":" + list_of(contexts.size(), [&] { return contexts[i++]; }) + "}";
}

RandomCase make_case(std::uint64_t number) {
  Draw draw(number);
  Author author(draw);
  RandomCase made;
  for (std::size_t i = 0; i < kFlags; ++i) {
    const std::string key = "f" + std::to_string(i);
    made.flags.emplace_back(key, author.flag(key));
  }
  for (std::size_t i = 0; i < kSegments; ++i) {
    const std::string key = "s" + std::to_string(i);
    made.segments.emplace_back(key, author.segment(key));
  }
  for (std::size_t i = 0; i < kContexts; ++i) made.contexts.push_back(author.context());
  return made;
}

}  // namespace flagstone::oracle
