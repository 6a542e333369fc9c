#include "sidecar/api/flagd_evaluation.h"

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "tests/sidecar/api/flagd_served.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kDocument = R"({
  "metadata": {"version": "7"},
  "flags": {
    "bool": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
             "metadata": {"owner": "x"}},
    "off": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
    "string": {"state": "ENABLED", "variants": {"a": "text"}, "defaultVariant": "a"},
    "float": {"state": "ENABLED", "variants": {"pi": 3.14}, "defaultVariant": "pi"},
    "int": {"state": "ENABLED", "variants": {"big": 9007199254740993}, "defaultVariant": "big"},
    "object": {"state": "ENABLED", "variants": {"o": {"a": [1]}}, "defaultVariant": "o"},
    "array": {"state": "ENABLED", "variants": {"l": [1]}, "defaultVariant": "l"},
    "no-default": {"state": "ENABLED", "variants": {"on": true}},
    "digit": {"state": "ENABLED", "variants": {"one": "1"}, "defaultVariant": "one"},
    "broken": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
               "targeting": {"unknown-operator": []}},
    "astray": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
               "targeting": {"if": [true, "nowhere"]}},
    "targeted": {"state": "ENABLED", "variants": {"yes": "yes", "no": "no"},
                 "defaultVariant": "no",
                 "targeting": {"if": [{"==": [{"var": "tier"}, "gold"]}, "yes", null]}}
  }})";

class FlagdEvaluationTest : public ::testing::Test {
 protected:
  FlagdEvaluationTest() : served(kDocument), api(served.desk) { api.add_routes(served.router); }

  static std::string path(std::string_view package, std::string_view method) {
    return std::string("/").append(package).append(".Service/").append(method);
  }
  net::RecordingResponse resolve(std::string_view package, std::string_view method,
                                 std::string_view key) {
    return served.ask_json(path(package, method),
                           std::string("{\"flagKey\":\"").append(key).append("\"}"));
  }

  FlagdServed served;
  FlagdEvaluation api;
};

constexpr const char* kV1 = "flagd.evaluation.v1";
constexpr const char* kV2 = "flagd.evaluation.v2";
constexpr const char* kSchema = "schema.v1";

struct Answer {
  const char* package;
  const char* method;
  const char* key;
  int status;
  const char* body;
};

TEST_F(FlagdEvaluationTest, AnswersAsFlagdDoes) {
  constexpr const char* kNotFound = R"({"code":"not_found","message":"Flag not found"})";
  constexpr const char* kMismatch =
      R"({"code":"invalid_argument","message":"Type mismatch error"})";
  const Answer rows[] = {
      {kV1, "ResolveBoolean", "bool", 200,
       R"({"value":true,"reason":"STATIC","variant":"on","metadata":{"version":"7","owner":"x"}})"},
      {kV2, "ResolveString", "string", 200,
       R"({"value":"text","reason":"STATIC","variant":"a","metadata":{"version":"7"}})"},
      {kSchema, "ResolveFloat", "float", 200,
       R"({"value":3.14,"reason":"STATIC","variant":"pi","metadata":{"version":"7"}})"},
      {kV1, "ResolveInt", "float", 200,
       R"({"value":"3","reason":"STATIC","variant":"pi","metadata":{"version":"7"}})"},
      {kV2, "ResolveInt", "int", 200,
       R"({"value":"9007199254740993","reason":"STATIC","variant":"big","metadata":{"version":"7"}})"},
      {kV1, "ResolveObject", "object", 200,
       R"({"value":{"a":[1]},"reason":"STATIC","variant":"o","metadata":{"version":"7"}})"},
      // Disabled: v1 answers the type's zero, v2 leaves value and variant out.
      {kV1, "ResolveBoolean", "off", 200,
       R"({"value":false,"reason":"DISABLED","variant":"","metadata":{"version":"7"}})"},
      {kV1, "ResolveInt", "off", 200,
       R"({"value":"0","reason":"DISABLED","variant":"","metadata":{"version":"7"}})"},
      {kV2, "ResolveBoolean", "off", 200, R"({"reason":"DISABLED","metadata":{"version":"7"}})"},
      {kSchema, "ResolveString", "off", 200,
       R"({"value":"","reason":"DISABLED","variant":"","metadata":{"version":"7"}})"},
      // No default variant: each package in its own way.
      {kV1, "ResolveBoolean", "no-default", 404, kNotFound},
      {kV2, "ResolveBoolean", "no-default", 200,
       R"({"reason":"DEFAULT","metadata":{"version":"7"}})"},
      {kSchema, "ResolveBoolean", "no-default", 200,
       R"({"value":false,"reason":"FALLBACK","variant":"","metadata":{"version":"7"}})"},
      {kV1, "ResolveBoolean", "nobody", 404, kNotFound},
      {kV2, "ResolveBoolean", "nobody", 404, kNotFound},
      {kV1, "ResolveBoolean", "", 404, kNotFound},
      {kV1, "ResolveString", "bool", 400, kMismatch},
      {kV2, "ResolveInt", "digit", 400, kMismatch},
      {kSchema, "ResolveObject", "array", 400, kMismatch},
  };
  for (const Answer& row : rows) {
    const auto response = resolve(row.package, row.method, row.key);
    EXPECT_EQ(response.status, row.status) << row.package << row.method << row.key;
    EXPECT_EQ(response.text, row.body) << row.package << row.method << row.key;
    EXPECT_EQ(response.content_type, "application/json");
  }
}

TEST_F(FlagdEvaluationTest, ErrorsSayWhatFlagdSaysAndMore) {
  const auto broken = resolve(kV1, "ResolveBoolean", "broken");
  EXPECT_EQ(broken.status, 500);
  EXPECT_TRUE(broken.text.starts_with(
      R"({"code":"data_loss","message":"Error parsing input or configuration: targeting failed)"))
      << broken.text;
  const auto astray = resolve(kV2, "ResolveBoolean", "astray");
  EXPECT_EQ(astray.status, 500);
  EXPECT_TRUE(astray.text.starts_with(R"({"code":"unknown","message":"General error: )"))
      << astray.text;
}

TEST_F(FlagdEvaluationTest, EveryMethodOfEveryPackageIsThere) {
  for (const char* package : {kV1, kV2, kSchema}) {
    for (const char* method :
         {"ResolveBoolean", "ResolveString", "ResolveFloat", "ResolveInt", "ResolveObject"}) {
      EXPECT_EQ(resolve(package, method, "off").status, 200) << package << method;
    }
    const int all = served.ask_json(path(package, "ResolveAll"), "{}").status;
    EXPECT_EQ(all, package == kV2 ? 404 : 200) << package;
  }
}

TEST_F(FlagdEvaluationTest, UnknownMethodsAreUnimplementedInTheCallersProtocol) {
  const auto connect = served.ask_json(path(kV2, "ResolveAll"), "{}");
  EXPECT_NE(connect.text.find("\"unimplemented\""), std::string::npos) << connect.text;
  const auto grpc =
      served.ask(path(kV2, "ResolveAll"), net::RpcRequest("application/grpc", net::rpc_frame("")));
  EXPECT_EQ(grpc.status, 200);
  EXPECT_EQ(grpc.header("grpc-status"), "12");
}

TEST_F(FlagdEvaluationTest, GrpcSpeaksProtobuf) {
  flagd_wire::evaluation_v1::ResolveStringRequest message;
  message.set_flag_key("targeted");
  (*message.mutable_context()->mutable_fields())["tier"].set_string_value("gold");
  const auto response =
      served.ask(path(kV1, "ResolveString"),
                 net::RpcRequest("application/grpc", net::rpc_frame(message.SerializeAsString())));
  EXPECT_EQ(response.trailer("grpc-status"), "0");
  flagd_wire::evaluation_v1::ResolveStringResponse answer;
  ASSERT_TRUE(answer.ParseFromString(response.text.substr(5)));
  EXPECT_EQ(answer.value(), "yes");
  EXPECT_EQ(answer.reason(), "TARGETING_MATCH");
  EXPECT_EQ(answer.metadata().fields().at("version").string_value(), "7");

  const auto bad = served.ask(path(kV1, "ResolveString"),
                              net::RpcRequest("application/grpc", net::rpc_frame("\x0a\x05x")));
  EXPECT_EQ(bad.header("grpc-status"), "3");
}

TEST_F(FlagdEvaluationTest, AllLeavesOutWhatItCannotSay) {
  const auto response = served.ask_json(path(kV1, "ResolveAll"), R"({"context":{"tier":"gold"}})");
  ASSERT_EQ(response.status, 200);
  const std::string& body = response.text;
  for (const char* there :
       {R"("bool":{"reason":"STATIC","variant":"on","boolValue":true)",
        R"("off":{"reason":"DISABLED","variant":"","metadata":)",
        R"("targeted":{"reason":"TARGETING_MATCH","variant":"yes","stringValue":"yes")",
        R"("float":{"reason":"STATIC","variant":"pi","doubleValue":3.14)",
        R"("object":{"reason":"STATIC","variant":"o","objectValue":{"a":[1]})"}) {
    EXPECT_NE(body.find(there), std::string::npos) << there << "\n" << body;
  }
  for (const char* absent : {"\"array\"", "\"no-default\"", "\"broken\"", "\"astray\""}) {
    EXPECT_EQ(body.find(absent), std::string::npos) << absent;
  }
  EXPECT_TRUE(body.ends_with(R"(},"metadata":{}})")) << body;
}

TEST_F(FlagdEvaluationTest, AllAsProtobuf) {
  const auto response =
      served.ask(path(kV1, "ResolveAll"), net::RpcRequest("application/proto", ""));
  flagd_wire::evaluation_v1::ResolveAllResponse answer;
  ASSERT_TRUE(answer.ParseFromString(response.text));
  EXPECT_EQ(answer.flags().at("string").string_value(), "text");
  EXPECT_EQ(answer.flags().at("int").value_case(),
            flagd_wire::evaluation_v1::AnyFlag::kDoubleValue);
  EXPECT_FALSE(answer.flags().contains("array"));
}

TEST_F(FlagdEvaluationTest, AStaleAnswerSaysSoAndASelectorIsReflected) {
  served.state.environments[0].stale = true;
  served.publish();
  net::RpcRequest request("application/json", R"({"flagKey":"string"})");
  request.with("flagd-selector", "source=flags.json");
  EXPECT_EQ(served.ask(path(kV2, "ResolveString"), request).text,
            R"({"value":"text","reason":"STATIC","variant":"a","metadata":)"
            R"({"version":"7","source":"flags.json","flagstone.stale":true}})");
}

TEST_F(FlagdEvaluationTest, SelectorsChooseAndBadOnesAreRefused) {
  struct Row {
    const char* selector;
    int status;
    const char* code;
  };
  for (const Row& row : {Row{"source=other.json", 404, "not_found"}, Row{"flagSetId=", 200, ""},
                         Row{"team=web", 400, "invalid_argument"}}) {
    net::RpcRequest request("application/json", R"({"flagKey":"string"})");
    request.with("flagd-selector", row.selector);
    const auto response = served.ask(path(kV1, "ResolveString"), request);
    EXPECT_EQ(response.status, row.status) << row.selector;
    EXPECT_NE(response.text.find(row.code), std::string::npos) << response.text;
  }
}

TEST_F(FlagdEvaluationTest, NotReadyIsUnavailable) {
  served.state.environments[0].complete = false;
  served.publish();
  EXPECT_EQ(resolve(kV1, "ResolveString", "string").status, 200);
  EXPECT_EQ(resolve(kV1, "ResolveString", "nobody").status, 503);
  EXPECT_EQ(served.ask_json(path(kV1, "ResolveAll"), "{}").status, 503);
  served.state.environments[0].snapshot = nullptr;
  served.publish();
  const auto response = resolve(kV2, "ResolveString", "string");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.text.find("\"unavailable\""), std::string::npos);
}

TEST_F(FlagdEvaluationTest, AForeignCredentialIsUnauthenticated) {
  served.state.environments.push_back(served.state.environments[0]);
  served.state.routes.by_credential["other"].environment = 1;
  served.state.routes.by_listener = {0};
  served.publish();
  net::RpcRequest request("application/json", R"({"flagKey":"string"})");
  request.with("authorization", "Bearer other");
  const auto response = served.ask(path(kV1, "ResolveString"), request);
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(response.text.find("\"unauthenticated\""), std::string::npos) << response.text;
}

TEST_F(FlagdEvaluationTest, RequestsThatAreNoneAreInvalidArguments) {
  for (const char* body : {"", "{", "[]", R"({"flagKey":1})", R"({"flagKey":"x","context":1})"}) {
    EXPECT_EQ(served.ask_json(path(kV1, "ResolveBoolean"), body).status, 400) << body;
  }
}

TEST_F(FlagdEvaluationTest, LooseTypesCastJustInTime) {
  EXPECT_EQ(resolve(kV1, "ResolveInt", "digit").status, 400);
  served.desk.settings.loose_types = true;
  EXPECT_TRUE(resolve(kV1, "ResolveInt", "digit").text.starts_with(R"({"value":"1")"));
  EXPECT_TRUE(resolve(kV1, "ResolveBoolean", "digit").text.starts_with(R"({"value":true)"));
  EXPECT_TRUE(resolve(kV1, "ResolveString", "float").text.starts_with(R"({"value":"3.14")"));
  EXPECT_EQ(resolve(kV1, "ResolveInt", "string").status, 400);
}

TEST_F(FlagdEvaluationTest, ContextIsAddedButHeadersNotForTheOldApi) {
  served.desk.settings.context_from_headers = {{"x-tier", "tier"}};
  const auto value = [&](const char* package, const char* header) {
    net::RpcRequest request("application/json", R"({"flagKey":"targeted"})");
    if (header != nullptr) request.with("x-tier", header);
    return served.ask(path(package, "ResolveString"), request).text.substr(0, 14);
  };
  EXPECT_EQ(value(kV1, "gold"), R"({"value":"yes")");
  EXPECT_EQ(value(kV1, nullptr), R"({"value":"no",)");
  EXPECT_EQ(value(kSchema, "gold"), R"({"value":"no",)");
  served.desk.settings.static_context = {{"tier", "gold"}};
  EXPECT_EQ(value(kSchema, nullptr), R"({"value":"yes")");
  EXPECT_EQ(value(kV2, "lead"), R"({"value":"no",)");
}

TEST_F(FlagdEvaluationTest, AnswersAreCounted) {
  resolve(kV1, "ResolveString", "string");
  resolve(kV1, "ResolveInt", "string");
  resolve(kV1, "ResolveInt", "nobody");
  served.ask_json(path(kV1, "ResolveAll"), "{}");
  const auto& counts = served.desk.counters.evaluations;
  const auto of = [&](Api which, evaluation::Reason reason) {
    return counts[static_cast<std::size_t>(which)][0][static_cast<std::size_t>(reason)].read();
  };
  EXPECT_EQ(of(Api::kFlagdEvaluation, evaluation::Reason::kStatic), 1u);
  EXPECT_EQ(of(Api::kFlagdEvaluation, evaluation::Reason::kError), 2u);
  EXPECT_GT(of(Api::kFlagdResolveAll, evaluation::Reason::kStatic), 5u);
  std::vector<std::string> unknown;
  std::uint32_t known = 0;
  served.desk.usage[0]->drain([&](std::uint32_t, std::uint32_t count) { known += count; },
                              [&](std::string_view key) { unknown.emplace_back(key); });
  EXPECT_EQ(known, 2u);
  EXPECT_EQ(unknown, std::vector<std::string>{"nobody"});
}

}  // namespace
}  // namespace flagstone::sidecar
