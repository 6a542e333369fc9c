// The flagd testbed's cases, through the scanner and the dialect, judged as a typed caller judges.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "evaluation/json_text.h"
#include "tests/evaluation/dialects/flagd/flag_store.h"
#include "tests/evaluation/shared_files.h"

namespace flagstone::evaluation::flagd {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kCasesKnown = 140;

bool has_tag(dom::element test, std::string_view tag) {
  for (const auto one : test["tags"].get_array()) {
    if (std::string_view(one) == tag) return true;
  }
  return false;
}

std::string minified(dom::element element) { return simdjson::minify(element); }

bool fits(std::string_view type, ValueType value) {
  if (type == "boolean") return value == ValueType::kBool;
  if (type == "string") return value == ValueType::kString;
  if (type == "object") return value == ValueType::kObject;
  return value == ValueType::kNumber;
}

// Numbers are compared by value, everything else by its JSON text.
bool same_json(std::string_view a, std::string_view b) {
  dom::parser left;
  dom::parser right;
  const auto x = left.parse(simdjson::padded_string(a)).value();
  const auto y = right.parse(simdjson::padded_string(b)).value();
  double p = 0;
  double q = 0;
  if (x.get(p) == simdjson::SUCCESS && y.get(q) == simdjson::SUCCESS) return p == q;
  return minified(x) == minified(y);
}

struct Typed {
  std::string error;
  std::string reason;
  std::string value;
};

Typed as_typed_caller(const Evaluation& result, std::string_view type, std::string fallback) {
  Typed typed;
  typed.reason = reason_name(result.reason);
  typed.error = error_code_name(result.error);
  typed.value = fallback;
  if (!typed.error.empty() || result.type == ValueType::kNone) return typed;
  if (fits(type, result.type)) {
    typed.value = result.value_json;
  } else {
    typed.error = "TYPE_MISMATCH";
    typed.reason = "ERROR";
  }
  return typed;
}

void expect_metadata(dom::object expected, std::string_view members) {
  dom::parser parser;
  const std::string text = "{" + std::string(members) + "}";
  const dom::object got = parser.parse(text).value().get_object();
  EXPECT_EQ(got.size(), expected.size()) << text;
  for (const auto field : expected) {
    dom::element value;
    ASSERT_EQ(got.at_key(field.key).get(value), simdjson::SUCCESS) << field.key;
    EXPECT_TRUE(same_json(minified(value), minified(field.value))) << text;
  }
}

void run_case(FlagStore& store, dom::element test) {
  SCOPED_TRACE(std::string(std::string_view(test["scenario"])) + " | " + minified(test));
  const Evaluation result =
      store.evaluate(std::string_view(test["flag"]), minified(test["context"]));
  const Typed typed =
      as_typed_caller(result, std::string_view(test["type"]), minified(test["fallback"]));
  const dom::element expect = test["expect"];
  std::string_view text;
  if (expect["errorCode"].get(text) == simdjson::SUCCESS) {
    EXPECT_EQ(typed.error, text) << result.error_details;
  }
  if (expect["reason"].get(text) == simdjson::SUCCESS) {
    EXPECT_EQ(typed.reason, text);
  }
  dom::element value;
  if (expect["value"].get(value) == simdjson::SUCCESS) {
    EXPECT_TRUE(same_json(typed.value, minified(value)))
        << typed.value << " " << typed.error << " " << result.error_details;
  }
  dom::object metadata;
  if (expect["metadata"].get(metadata) == simdjson::SUCCESS) {
    expect_metadata(metadata, result.metadata_members);
  }
}

TEST(FlagdConformance, EveryCaseOfTheTestbed) {
  const auto flags = read_file(shared_path("conformance/flagd/flags.json"));
  const auto cases = read_file(shared_path("conformance/flagd/cases.json"));
  if (!flags || !cases) GTEST_SKIP() << "no " << shared_path("conformance/flagd");
  FlagStore v1(*flags, {FractionalVersion::kV1});
  FlagStore v2(*flags, {FractionalVersion::kV2});
  dom::parser parser;
  const dom::array tests = parser.parse(*cases).value()["cases"].get_array();
  EXPECT_GE(tests.size(), kCasesKnown);
  for (const auto test : tests) run_case(has_tag(test, "@fractional-v1") ? v1 : v2, test);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
