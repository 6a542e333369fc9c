#include "evaluation/dialects/flagd/wire/evaluation_request.h"

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "tests/evaluation/dialects/flagd/wire/struct_messages.h"

namespace flagstone::evaluation::flagd {
namespace {

using flagd_wire::evaluation_v1::ResolveAllRequest;
using flagd_wire::evaluation_v1::ResolveBooleanRequest;

TEST(EvaluationRequest, ReadsKeyAndContext) {
  ResolveBooleanRequest message;
  message.set_flag_key("my-flag");
  (*message.mutable_context()->mutable_fields())["targetingKey"].set_string_value("user");
  const std::string bytes = message.SerializeAsString();
  EvaluationRequestReader reader;
  for (int i = 0; i < 2; ++i) {
    const auto request = reader.read(bytes);
    ASSERT_TRUE(request) << request.error();
    EXPECT_EQ(request->flag_key, "my-flag");
    EXPECT_EQ(request->context.find("targetingKey")->as_string(), "user");
  }
}

TEST(EvaluationRequest, WhatIsAbsentIsEmpty) {
  EvaluationRequestReader reader;
  const auto request = reader.read("");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->flag_key, "");
  EXPECT_TRUE(request->context.attributes().members().empty());
  ASSERT_TRUE(reader.read_all(""));
}

// Protobuf: of a repeated plain field the last counts, repeated messages are one.
TEST(EvaluationRequest, ConcatenatedRequestsAreOne) {
  ResolveBooleanRequest first;
  first.set_flag_key("first");
  (*first.mutable_context()->mutable_fields())["a"].set_number_value(1);
  (*first.mutable_context()->mutable_fields())["b"].set_number_value(1);
  ResolveBooleanRequest second;
  second.set_flag_key("second");
  (*second.mutable_context()->mutable_fields())["b"].set_number_value(2);
  const std::string bytes = first.SerializeAsString() + second.SerializeAsString();
  ResolveBooleanRequest oracle;
  ASSERT_TRUE(oracle.ParseFromString(bytes));
  EvaluationRequestReader reader;
  const auto request = reader.read(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->flag_key, oracle.flag_key());
  expect_equal(oracle.context(), request->context.attributes());
}

TEST(EvaluationRequest, AllHasTheContextInFieldOne) {
  ResolveAllRequest message;
  *message.mutable_context() = RandomStructs(3).next(4);
  const std::string bytes = message.SerializeAsString();
  EvaluationRequestReader reader;
  const auto context = reader.read_all(bytes);
  ASSERT_TRUE(context);
  expect_equal(message.context(), context->attributes());
}

TEST(EvaluationRequest, EveryCutAndMutationIsARequestOrAnError) {
  ResolveBooleanRequest message;
  message.set_flag_key("my-flag");
  *message.mutable_context() = RandomStructs(5).next(4);
  const std::string whole = message.SerializeAsString();
  EvaluationRequestReader reader;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    ResolveBooleanRequest oracle;
    EXPECT_EQ(reader.read(cut).has_value(), oracle.ParseFromString(cut)) << size;
  }
  std::mt19937 random(1);
  for (int i = 0; i < 3'000; ++i) {
    std::string mutated = whole;
    mutated[random() % mutated.size()] = static_cast<char>(random());
    ResolveBooleanRequest oracle;
    const auto request = reader.read(mutated);
    if (!request || !oracle.ParseFromString(mutated)) continue;
    EXPECT_EQ(request->flag_key, oracle.flag_key());
    expect_equal(oracle.context(), request->context.attributes());
  }
}

TEST(EvaluationRequest, Json) {
  struct Row {
    const char* body;
    const char* key;        // nullptr: refused
    const char* attribute;  // the context's member "a", nullptr: none
  };
  const Row rows[] = {
      {R"({"flagKey":"x","context":{"a":"b"}})", "x", "b"},
      {R"({"flag_key":"x","context":{}})", "x", nullptr},
      {R"({"context":null,"flagKey":"x"})", "x", nullptr},
      {R"({"flagKey":"x"})", "x", nullptr},
      {R"({"flagKey":null,"unknown":[1,{}]})", "", nullptr},
      {"{}", "", nullptr},
      {"", nullptr, nullptr},
      {"[]", nullptr, nullptr},
      {"{", nullptr, nullptr},
      {R"({"flagKey":1})", nullptr, nullptr},
      {R"({"flagKey":"x","context":[]})", nullptr, nullptr},
      {R"({"flagKey":"x","context":"y"})", nullptr, nullptr},
      {"{\"flagKey\":\"\xff\"}", nullptr, nullptr},
  };
  ContextReader contexts;
  for (const Row& row : rows) {
    const auto request = EvaluationRequestReader::read_json(row.body, contexts);
    ASSERT_EQ(request.has_value(), row.key != nullptr) << row.body;
    if (!request) continue;
    EXPECT_EQ(request->flag_key, row.key) << row.body;
    const Value* found = request->context.find("a");
    ASSERT_EQ(found != nullptr, row.attribute != nullptr) << row.body;
    if (found != nullptr) {
      EXPECT_EQ(found->as_string(), row.attribute);
    }
  }
  const auto all = EvaluationRequestReader::read_all_json(R"({"context":{"a":1}})", contexts);
  ASSERT_TRUE(all);
  EXPECT_NE(all->find("a"), nullptr);
  EXPECT_FALSE(EvaluationRequestReader::read_all_json("", contexts));
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
