#include "sidecar/context_additions.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace flagstone::sidecar {
namespace {

using Attributes = std::map<std::string, std::string>;

class ContextAdditionsTest : public ::testing::Test {
 protected:
  // What a request with these attributes and headers is evaluated with.
  Attributes merged(const std::vector<evaluation::Member>& attributes,
                    std::vector<net::HeaderField> headers,
                    ContextAdditions::Headers which = ContextAdditions::Headers::kMapped) {
    ContextAdditions additions(settings);
    net::Request request;
    request.headers = headers;
    const evaluation::EvaluationContext context(evaluation::Value::object(attributes));
    Attributes out;
    for (const auto& member : additions.merge(context, request, which).attributes().members()) {
      EXPECT_TRUE(out.emplace(member.name, member.value.as_string()).second) << member.name;
    }
    return out;
  }
  std::uint64_t hash(std::vector<net::HeaderField> headers) {
    net::Request request;
    request.headers = headers;
    evaluation::ContentHash hash;
    ContextAdditions(settings).add_to(hash, request);
    return hash.digest128().low;
  }

  const std::vector<evaluation::Member> own = {{"a", evaluation::Value::string("own")},
                                               {"b", evaluation::Value::string("own")}};
  ServingSettings settings;
};

TEST_F(ContextAdditionsTest, NothingToAddLeavesTheContextAsItIs) {
  ContextAdditions additions(settings);
  const evaluation::EvaluationContext context(evaluation::Value::object(own));
  EXPECT_EQ(additions.merge(context, {}).attributes().members().data(), own.data());
  settings.context_from_headers = {{"x-a", "a"}};
  EXPECT_EQ(additions.merge(context, {}).attributes().members().data(), own.data());
}

TEST_F(ContextAdditionsTest, HeadersWinOverStaticValuesAndThoseOverTheRequest) {
  settings.static_context = {{"a", "static"}, {"c", "static"}, {"d", "static"}};
  settings.context_from_headers = {{"x-c", "c"}, {"x-b", "b"}, {"x-none", "d"}};
  EXPECT_EQ(merged(own, {{"x-c", "header"}, {"x-b", "header"}}),
            (Attributes{{"a", "static"}, {"b", "header"}, {"c", "header"}, {"d", "static"}}));
  EXPECT_EQ(merged({}, {}), (Attributes{{"a", "static"}, {"c", "static"}, {"d", "static"}}));
  EXPECT_EQ(
      merged(own, {{"x-c", "header"}, {"x-b", "header"}}, ContextAdditions::Headers::kIgnored),
      (Attributes{{"a", "static"}, {"b", "own"}, {"c", "static"}, {"d", "static"}}));
}

TEST_F(ContextAdditionsTest, EmptyHeadersAndThoseThatAreNoTextAreAsAbsent) {
  settings.context_from_headers = {{"x-a", "a"}};
  EXPECT_EQ(merged(own, {{"x-a", ""}}), (Attributes{{"a", "own"}, {"b", "own"}}));
  EXPECT_EQ(merged(own, {{"x-a", "\xff"}}), (Attributes{{"a", "own"}, {"b", "own"}}));
}

TEST_F(ContextAdditionsTest, TheLastOfTwoForOneAttributeCounts) {
  settings.static_context = {{"a", "first"}, {"a", "second"}};
  EXPECT_EQ(merged({}, {}), (Attributes{{"a", "second"}}));
}

TEST_F(ContextAdditionsTest, TheHashKnowsAllThatIsAdded) {
  const std::uint64_t none = hash({});
  settings.static_context = {{"a", "static"}};
  const std::uint64_t fixed = hash({});
  EXPECT_NE(fixed, none);
  settings.context_from_headers = {{"x-a", "a"}, {"x-b", "b"}};
  const std::uint64_t one = hash({{"x-a", "1"}});
  EXPECT_NE(one, fixed);
  EXPECT_NE(one, hash({{"x-b", "1"}}));
  EXPECT_NE(one, hash({{"x-a", "2"}}));
  EXPECT_EQ(one, hash({{"x-a", "1"}, {"x-other", "2"}}));
}

}  // namespace
}  // namespace flagstone::sidecar
