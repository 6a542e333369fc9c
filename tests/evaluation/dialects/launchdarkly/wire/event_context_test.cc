#include "evaluation/dialects/launchdarkly/wire/event_context.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/context_reader.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

using Anonymous = EventContext::Anonymous;

struct Row {
  std::string_view what;
  std::string_view context;
  std::string_view shown;
};

std::string written(std::string_view json, Anonymous anonymous, const EventPrivacy& privacy = {}) {
  ContextReader reader;
  const std::string body(json);
  const auto context = reader.read(body);
  if (!context) return "unreadable: " + context.error().message;
  EventContext event_context;
  event_context.set_privacy(privacy);
  if (!event_context.read(*context)) return "invalid";
  std::string out;
  event_context.append_json(out, anonymous);
  return out;
}

TEST(EventContext, IsWrittenAsSdksWriteIt) {
  const std::vector<Row> rows = {
      {"a user by targetingKey", R"({"targetingKey":"u"})", R"({"kind":"user","key":"u"})"},
      {"the targeting key wins", R"({"targetingKey":"t","key":"k"})",
       R"({"kind":"user","key":"t"})"},
      {"an empty one does not", R"({"targetingKey":"","key":"k"})", R"({"kind":"user","key":"k"})"},
      {"no key", R"({"name":"x"})", "invalid"},
      {"a kind of its own", R"({"kind":"org","key":"o","plan":"x"})",
       R"({"kind":"org","key":"o","plan":"x"})"},
      {"a kind that is none", R"({"kind":"no spaces","key":"o"})", "invalid"},
      {"attributes of every type",
       R"({"key":"u","a":1,"b":-2.5,"c":true,"d":"q\"","e":[1,{"x":null}],"f":{"g":[]},"h":null})",
       R"({"kind":"user","key":"u","a":1,"b":-2.5,"c":true,"d":"q\"","e":[1,{"x":null}],"f":{"g":[]}})"},
      {"large integers", R"({"key":"u","a":18446744073709551615,"b":-9223372036854775808})",
       R"({"kind":"user","key":"u","a":18446744073709551615,"b":-9223372036854775808})"},
      {"a name that is none", R"({"key":"u","name":5})", R"({"kind":"user","key":"u"})"},
      {"a name", R"({"key":"u","name":"n"})", R"({"kind":"user","key":"u","name":"n"})"},
      {"anonymous", R"({"key":"u","anonymous":true,"a":1})",
       R"({"kind":"user","key":"u","a":1,"anonymous":true})"},
      {"anonymous of the wrong type", R"({"key":"u","anonymous":"yes"})",
       R"({"kind":"user","key":"u"})"},
      {"several kinds", R"({"kind":"multi","user":{"key":"u","a":1},"org":{"targetingKey":"o"}})",
       R"({"kind":"multi","user":{"key":"u","a":1},"org":{"key":"o"}})"},
      {"one kind of several is that one", R"({"kind":"multi","org":{"key":"o","a":1}})",
       R"({"kind":"org","key":"o","a":1})"},
      {"several, one without a key", R"({"kind":"multi","user":{"key":"u"},"org":{"a":1}})",
       "invalid"},
      {"several, and none", R"({"kind":"multi","targetingKey":"x"})", "invalid"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(written(row.context, Anonymous::kShown), row.shown) << row.what;
  }
}

TEST(EventContext, PrivateAttributesAreNamedAndNotShown) {
  const std::vector<Row> rows = {
      {"by name", R"({"key":"u","email":"SECRET","privateAttributes":["email"]})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["email"]}})"},
      {"the name", R"({"key":"u","name":"SECRET","privateAttributes":["name"],"a":1})",
       R"({"kind":"user","key":"u","a":1,"_meta":{"redactedAttributes":["name"]}})"},
      {"by reference", R"({"key":"u","a/b~":"SECRET","privateAttributes":["/a~1b~0"]})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["/a~1b~0"]}})"},
      {"inside of an object",
       R"({"key":"u","address":{"street":"SECRET","city":"c"},"privateAttributes":["/address/street"]})",
       R"({"kind":"user","key":"u","address":{"city":"c"},"_meta":{"redactedAttributes":["/address/street"]}})"},
      {"deep inside",
       R"({"key":"u","a":{"b":{"c":"SECRET","d":1},"c":2},"privateAttributes":["/a/b/c"]})",
       R"({"kind":"user","key":"u","a":{"b":{"d":1},"c":2},"_meta":{"redactedAttributes":["/a/b/c"]}})"},
      {"a whole object and its part",
       R"({"key":"u","a":{"b":"SECRET"},"privateAttributes":["/a/b","a"]})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["a"]}})"},
      {"nothing inside of a list", R"({"key":"u","a":["x"],"privateAttributes":["/a/0"]})",
       R"({"kind":"user","key":"u","a":["x"]})"},
      {"what is not there", R"({"key":"u","a":1,"privateAttributes":["b","/a/b"]})",
       R"({"kind":"user","key":"u","a":1})"},
      {"never key and kind",
       R"({"key":"u","kind":"org","privateAttributes":["key","kind","/key"]})",
       R"({"kind":"org","key":"u"})"},
      {"no references",
       R"({"key":"u","a":1,"privateAttributes":["","/","//a","/a/","/a~","/a~2",5]})",
       R"({"kind":"user","key":"u","a":1})"},
      {"no list", R"({"key":"u","a":1,"privateAttributes":"a"})",
       R"({"kind":"user","key":"u","a":1})"},
      {"as LaunchDarkly's own contexts say it",
       R"({"key":"u","a":"SECRET","_meta":{"privateAttributes":["a"],"secondary":"SECRET"}})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["a"]}})"},
      {"each kind has its own",
       R"({"kind":"multi","user":{"key":"u","a":"SECRET","privateAttributes":["a"]},"org":{"key":"o","a":1}})",
       R"({"kind":"multi","user":{"key":"u","_meta":{"redactedAttributes":["a"]}},"org":{"key":"o","a":1}})"},
  };
  for (const Row& row : rows) {
    for (const Anonymous anonymous : {Anonymous::kShown, Anonymous::kRedacted}) {
      EXPECT_EQ(written(row.context, anonymous), row.shown) << row.what;
    }
  }
}

TEST(EventContext, AnonymousOnesCanBeRedactedWhole) {
  const std::vector<Row> rows = {
      {"all of it", R"({"key":"u","anonymous":true,"name":"n","/a~":1,"b":{"c":2}})",
       R"({"kind":"user","key":"u","anonymous":true,"_meta":{"redactedAttributes":["name","/~1a~0","b"]}})"},
      {"nothing to redact", R"({"key":"u","anonymous":true})",
       R"({"kind":"user","key":"u","anonymous":true})"},
      {"the other kind is shown",
       R"({"kind":"multi","user":{"key":"u","anonymous":true,"a":1},"org":{"key":"o","a":1}})",
       R"({"kind":"multi","user":{"key":"u","anonymous":true,"_meta":{"redactedAttributes":["a"]}},"org":{"key":"o","a":1}})"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(written(row.context, Anonymous::kRedacted), row.shown) << row.what;
  }
}

// As go-sdk-events does it for an SDK's own options.
TEST(EventContext, TheOperatorsPrivateAttributesAreNobodysToShow) {
  const EventPrivacy privacy{.attributes = {"email", "/address/street", "/a~1b", "/c/d/e"}};
  const std::vector<Row> rows = {
      {"a name", R"({"key":"u","email":"SECRET","x":1})",
       R"({"kind":"user","key":"u","x":1,"_meta":{"redactedAttributes":["email"]}})"},
      {"a path", R"({"key":"u","address":{"street":"SECRET","city":"c"}})",
       R"({"kind":"user","key":"u","address":{"city":"c"},"_meta":{"redactedAttributes":["/address/street"]}})"},
      {"a path through what is no object", R"({"key":"u","address":"all","c":{"d":[1]}})",
       R"({"kind":"user","key":"u","address":"all","c":{"d":[1]}})"},
      {"deep, and a name with a slash",
       R"({"key":"u","a/b":"SECRET","c":{"d":{"e":"SECRET","f":1}}})",
       R"({"kind":"user","key":"u","c":{"d":{"f":1}},"_meta":{"redactedAttributes":["/a~1b","/c/d/e"]}})"},
      {"beside the context's own",
       R"({"key":"u","email":"SECRET","address":{"street":"SECRET","zip":"SECRET","city":"c"},"name":"SECRET","privateAttributes":["/address/zip","name","email"]})",
       R"({"kind":"user","key":"u","address":{"city":"c"},"_meta":{"redactedAttributes":["email","/address/street","/address/zip","name"]}})"},
      {"the context hides the whole of it",
       R"({"key":"u","address":{"street":"SECRET"},"_meta":{"privateAttributes":["address"]}})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["address"]}})"},
      {"of each kind",
       R"({"kind":"multi","user":{"key":"u","email":"SECRET"},"org":{"key":"o","email":"SECRET"}})",
       R"({"kind":"multi","user":{"key":"u","_meta":{"redactedAttributes":["email"]}},"org":{"key":"o","_meta":{"redactedAttributes":["email"]}}})"},
  };
  for (const Row& row : rows) {
    for (const Anonymous anonymous : {Anonymous::kShown, Anonymous::kRedacted}) {
      EXPECT_EQ(written(row.context, anonymous, privacy), row.shown) << row.what;
    }
  }
}

TEST(EventContext, AllAttributesCanBePrivate) {
  const EventPrivacy privacy{.all_attributes = true};
  const std::vector<Row> rows = {
      {"all", R"({"key":"u","name":"n","/a~":1,"b":{"c":2},"privateAttributes":["b"]})",
       R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["name","/~1a~0","b"]}})"},
      {"nothing to hide", R"({"key":"u","anonymous":true})",
       R"({"kind":"user","key":"u","anonymous":true})"},
      {"of each kind", R"({"kind":"multi","user":{"key":"u","a":1},"org":{"key":"o","b":1}})",
       R"({"kind":"multi","user":{"key":"u","_meta":{"redactedAttributes":["a"]}},"org":{"key":"o","_meta":{"redactedAttributes":["b"]}}})"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(written(row.context, Anonymous::kShown, privacy), row.shown) << row.what;
  }
}

TEST(EventContext, AnonymousOnesCanBeOmitted) {
  const std::vector<Row> rows = {
      {"none is", R"({"key":"u"})", R"({"kind":"user","key":"u"})"},
      {"one of two, and the other is alone",
       R"({"kind":"multi","user":{"key":"u","anonymous":true},"org":{"key":"o","a":1}})",
       R"({"kind":"org","key":"o","a":1})"},
      {"one of three",
       R"({"kind":"multi","user":{"key":"u","anonymous":true},"org":{"key":"o"},"device":{"key":"d"}})",
       R"({"kind":"multi","org":{"key":"o"},"device":{"key":"d"}})"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(written(row.context, Anonymous::kOmitted), row.shown) << row.what;
  }
}

// Each private attribute is compared with each attribute: a caller must not make that a lot.
TEST(EventContext, WithVeryManyPrivateAttributesAllAre) {
  std::string context = R"({"key":"u","kept":"SECRET","privateAttributes":[)";
  for (std::size_t i = 0; i <= EventContext::kPrivateMax; ++i) {
    context += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) + '"';
  }
  context += "]}";
  EXPECT_EQ(written(context, Anonymous::kShown),
            R"({"kind":"user","key":"u","_meta":{"redactedAttributes":["kept"]}})");
}

TEST(EventContext, WhatJsonCannotSayIsNull) {
  const Member members[] = {{"key", Value::string("u")},
                            {"a", Value::number(std::numeric_limits<double>::infinity())}};
  EventContext context;
  ASSERT_TRUE(context.read(EvaluationContext(Value::object(members))));
  std::string out;
  context.append_json(out, Anonymous::kShown);
  EXPECT_EQ(out, R"({"kind":"user","key":"u","a":null})");
}

std::uint64_t hash_of(std::string_view json) {
  ContextReader reader;
  EventContext context;
  const std::string body(json);
  EXPECT_TRUE(context.read(*reader.read(body)));
  return context.key_hash();
}

TEST(EventContext, KindsAndKeysAloneMakeTheHash) {
  const std::uint64_t user = hash_of(R"({"key":"u"})");
  EXPECT_EQ(user, hash_of(R"({"targetingKey":"u","name":"n","kind":"user"})"));
  EXPECT_NE(user, hash_of(R"({"key":"v"})"));
  EXPECT_NE(user, hash_of(R"({"key":"u","kind":"org"})"));
  const std::uint64_t both = hash_of(R"({"kind":"multi","user":{"key":"u"},"org":{"key":"o"}})");
  EXPECT_EQ(both, hash_of(R"({"kind":"multi","org":{"key":"o"},"user":{"key":"u","a":1}})"));
  EXPECT_NE(both, hash_of(R"({"kind":"multi","org":{"key":"u"},"user":{"key":"o"}})"));
  EXPECT_NE(both, user);
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
