#include "upstream/transports/kubernetes_objects.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flagstone::upstream {
namespace {

const std::vector<std::string> kPath = {"spec", "flagSpec"};

// As an API server writes it: sorted by name, so that the items come before the list's own version.
std::string list_of(const std::string& items) {
  return R"({"apiVersion":"core.openfeature.dev/v1beta1","items":[)" + items +
         R"(],"kind":"FeatureFlagList","metadata":{"continue":"","resourceVersion":"41"}})" + "\n";
}

TEST(KubernetesObjectsTest, TheDocumentComesByteForByte) {
  const std::string document = "{ \"flags\" :\n{\"a\\u0062\": 1.0e+2 ,\"x\":[ {} , \"}\\\"\" ]}\t}";
  const std::string text = list_of(
      R"({"metadata":{"name":"other","resourceVersion":"7"},"spec":{"flagSpec":{"flags":{}}}},)"
      R"({"metadata":{"managedFields":[{"name":"no"}],"name":"flags","resourceVersion":"40"},)"
      R"("spec":{"more":1,"flagSpec":)" +
      document + R"(},"status":{}})");
  const auto list = read_kubernetes_list(text, "flags", kPath);
  ASSERT_TRUE(list) << list.error();
  EXPECT_EQ(list->resource_version, "41");
  ASSERT_TRUE(list->object);
  EXPECT_EQ(list->object->name, "flags");
  EXPECT_EQ(list->object->resource_version, "40");
  ASSERT_TRUE(list->object->document);
  EXPECT_EQ(*list->object->document, document);
}

TEST(KubernetesObjectsTest, AListWithoutTheResourceIsOneToo) {
  for (const char* items : {"", R"({"metadata":{"name":"flags2"}})", R"(1,"x",[{}],{})"}) {
    const auto list = read_kubernetes_list(list_of(items), "flags", kPath);
    ASSERT_TRUE(list) << items << list.error();
    EXPECT_FALSE(list->object) << items;
  }
}

TEST(KubernetesObjectsTest, AResourceWithoutDocumentIsFound) {
  for (const char* spec : {"", R"(,"spec":{})", R"(,"spec":{"flagSpec":null})", R"(,"spec":[])"}) {
    const auto list = read_kubernetes_list(
        list_of(R"({"metadata":{"name":"flags"})" + std::string(spec) + "}"), "flags", kPath);
    ASSERT_TRUE(list && list->object) << spec;
    EXPECT_FALSE(list->object->document) << spec;
  }
}

TEST(KubernetesObjectsTest, WhatIsNoListIsRefused) {
  const std::string whole = list_of(R"({"metadata":{"name":"flags"}})");
  for (std::size_t bytes = 0; bytes + 1 < whole.size(); ++bytes) {
    EXPECT_FALSE(read_kubernetes_list(std::string_view(whole).substr(0, bytes), "flags", kPath))
        << bytes;
  }
  for (const char* text :
       {"[]", "null", R"({"items":[]})", R"({"metadata":{}})",
        R"({"metadata":{"resourceVersion":""}})", R"({"metadata":{"resourceVersion":41}})",
        R"({"metadata":{"resourceVersion":"4&watch=0"}})"}) {
    EXPECT_FALSE(read_kubernetes_list(text, "flags", kPath)) << text;
  }
  const std::string deep(kKubernetesDepthMax + 1, '[');
  EXPECT_FALSE(read_kubernetes_list(R"({"a":)" + deep, "flags", kPath));
}

TEST(KubernetesObjectsTest, EveryEventHasItsType) {
  using Type = KubernetesEvent::Type;
  const struct {
    const char* name;
    Type type;
  } cases[] = {{"ADDED", Type::kAdded},     {"MODIFIED", Type::kModified},
               {"DELETED", Type::kDeleted}, {"BOOKMARK", Type::kBookmark},
               {"SOMETHING", Type::kOther}, {"added", Type::kOther}};
  for (const auto& [name, type] : cases) {
    // An event's views are into the text.
    const std::string text = R"({"type":")" + std::string(name) +
                             R"(","object":{"metadata":{"name":"flags","resourceVersion":"9"},)"
                             R"("spec":{"flagSpec":{}}}})";
    const auto event = read_kubernetes_event(text, kPath);
    ASSERT_TRUE(event) << name;
    EXPECT_EQ(event->type, type) << name;
    EXPECT_EQ(event->object.resource_version, type == Type::kOther ? "" : "9") << name;
    EXPECT_EQ(event->object.document.value_or("none"), type == Type::kOther ? "none" : "{}");
  }
  EXPECT_FALSE(read_kubernetes_event(R"({"type":"ADDED","object":{"metadata":{}}})", kPath));
  EXPECT_FALSE(read_kubernetes_event(R"({"type":"ADDED","object":{)", kPath));
  EXPECT_FALSE(read_kubernetes_event(R"({"type":"BOOKMARK"})", kPath));
}

TEST(KubernetesObjectsTest, AnErrorEventHasAStatus) {
  const auto event = read_kubernetes_event(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired",)"
      R"("message":"too old resource version: 1, oldest 2"}
})",
      kPath);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, KubernetesEvent::Type::kError);
  EXPECT_EQ(event->status.code, 410);
  EXPECT_EQ(event->status.message, "too old resource version: 1, oldest 2");
}

TEST(KubernetesObjectsTest, AMessageIsOnePrintableShortLine) {
  const auto message_of = [](const std::string& message) {
    return read_kubernetes_status(R"({"kind":"Status","code":403,"message":")" + message + "\"}")
        .message;
  };
  EXPECT_EQ(message_of(R"(User \"system:serviceaccount:a:b\" cannot list)"),
            "User \"system:serviceaccount:a:b\" cannot list");
  EXPECT_EQ(message_of(R"(a\r\nb\u001b[31m\u007f)"), "a  b [31m ");
  const std::string euros = message_of("x" + std::string(100, 'y') + [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "€";
    return text;
  }());
  EXPECT_LE(euros.size(), kKubernetesMessageBytesMax);
  EXPECT_TRUE(euros.ends_with("€"));
  for (const char* text : {"", "<html>", "{}", R"({"kind":"List","code":1})", "[1]"}) {
    EXPECT_EQ(read_kubernetes_status(text).message, "") << text;
  }
}

}  // namespace
}  // namespace flagstone::upstream
