#include "tests/oracle/random_values.h"

namespace flagstone::oracle {
namespace {

std::string_view draw_text(Draw& draw) {
  return draw.of({"\"\"", "\"a\"", "\"ab\"", "\"abc\"", "\"b\"", "\"user\"", "\"org\"", "\"DE\"",
                  "\"x@example.org\"", "\"true\"", "\"5\"", "\"Abc\"", "\"\\u00e9t\\u00e9\"",
                  "\"a\\nb\"", "\"device\"", "\"kind\""});
}

std::string_view draw_number(Draw& draw) {
  return draw.of({"0",
                  "1",
                  "2",
                  "-1",
                  "3.5",
                  "-0.0",
                  "1e3",
                  "1000",
                  "0.1",
                  "100",
                  "99.99999999999",
                  "9007199254740993",
                  "9007199254740992",
                  "-9007199254740993",
                  "1e300",
                  "1.0",
                  "123456789012345678",
                  "2147483648",
                  "4294967296.5",
                  "-1e-7"});
}

std::string_view draw_date(Draw& draw) {
  return draw.of({
      "\"2024-02-29T12:00:00Z\"",
      "\"2024-02-30T00:00:00Z\"",
      "\"2024-03-01T00:00:00.0Z\"",
      "\"2024-03-01t00:00:00z\"",
      "\"2024-03-01T01:00:00+01:00\"",
      "\"2024-02-29T23:00:00-01:00\"",
      "\"2024-03-01T99:00:00Z\"",
      "\"2024-03-01T4:05:06Z\"",
      "\"2024-03-01T00:00:60Z\"",
      "\"2024-03-01T00:00:61Z\"",
      "\"2024-03-01T00:00:00.123456789Z\"",
      "\"2024-03-01T00:00:00.1234567891Z\"",
      "\"2024-03-01T00:00:00.Z\"",
      "\"2024-03-01T00:00:00.5\"",
      "\"2024-03-01T00:00:00\"",
      "\"2024-03-01\"",
      "\"2024-03-01T00:00:00Zjunk\"",
      "\"2024-03-01T00:00:00+99:59\"",
      "\"2024-03-01T00:00:00+01\"",
      "\"2024-03-01T00:00:00+01:60\"",
      "\"2024-03-01T00:00:00+01:300\"",
      "\"2024-03-01T00:00:00+01:30\\u00e9\"",
      "\"2024-03-01T00:00:00.5-00:30\"",
      "\"0001-01-01T00:00:00Z\"",
      "\"0000-01-01T00:00:00Z\"",
      "\"9999-12-31T23:59:59.999999999Z\"",
      "\"24-03-01T00:00:00Z\"",
      "\"2024-13-01T00:00:00Z\"",
      "\"2024-00-01T00:00:00Z\"",
      "\"2024-03-00T00:00:00Z\"",
      "\"2024-03-32T00:00:00Z\"",
      "\"2024-3-01T00:00:00Z\"",
      "\"\\u00e92024-03-01T00:00:00Z\"",
      "1709251200000",
      "1709251200000.7",
      "1709251199999",
      "0",
      "-62135596800000",
      "1e18",
      "-1e18",
      "9223372036854",
      "9223372036855",
      "1e30",
      "-1e30",
      "-1",
      "\"1709251200000\"",
  });
}

std::string_view draw_version(Draw& draw) {
  return draw.of({"\"1\"",
                  "\"1.2\"",
                  "\"1.2.3\"",
                  "\"01.2.3\"",
                  "\"1.02.3\"",
                  "\"1.2.3-alpha\"",
                  "\"1.2.3-alpha.1\"",
                  "\"1.2.3-alpha.beta\"",
                  "\"1.2.3-alpha.10\"",
                  "\"1.2.3-alpha.9\"",
                  "\"1.2.3-01\"",
                  "\"1.2.3-0a\"",
                  "\"1.2.3+build\"",
                  "\"1.2.3+build.01\"",
                  "\"1.2.3-rc+b\"",
                  "\"1-rc\"",
                  "\"1+b\"",
                  "\"1.2-rc\"",
                  "\"v1.2.3\"",
                  "\"1.2.3.4\"",
                  "\"1.2.3-\"",
                  "\"1.2.3+\"",
                  "\"1.2.3-a..b\"",
                  "\"1.2.3-a.\"",
                  "\"\"",
                  "\".1\"",
                  "\"1.\"",
                  "\"1..2\"",
                  "\"2.0.0\"",
                  "\"10.0.0\"",
                  "\"1.10\"",
                  "\"99999999999999999999.0.0\"",
                  "\"18446744073709551617.2.3\"",
                  "\"1.2.3-99999999999999999999\"",
                  "\"1.2.3-\\u00e9\"",
                  "\"1.2.3\\u0000\"",
                  "\"1.2.3 \"",
                  "\"1.2.3-a-b\"",
                  "\"1.2.3---\"",
                  "2",
                  "1.2"});
}

std::string_view draw_regex(Draw& draw) {
  return draw.of({"\"a\"",
                  "\"^a\"",
                  "\"b$\"",
                  "\"^ab?c*$\"",
                  "\"[a-c]+\"",
                  "\"(\"",
                  "\"a{2,1}\"",
                  "\"a{1001}\"",
                  "\"(?i)ABC\"",
                  "\"(?P<n>a)b\"",
                  "\"\\\\d+\"",
                  "\"\\\\w@\"",
                  "\"\\\\bab\\\\b\"",
                  "\"a.b\"",
                  "\"(?s)a.b\"",
                  "\"(?m)^b\"",
                  "\"\\\\pL+$\"",
                  "\"[[:alpha:]]\"",
                  "\"(a|b)*c\"",
                  "\"**\"",
                  "\"\\\\Qa.\\\\E\"",
                  "\"(?=a)\"",
                  "\"\\\\1\"",
                  "\"\"",
                  "\"x*\"",
                  "\"^$\"",
                  "\"a++\"",
                  "\"[^a]\"",
                  "\"\\\\z\"",
                  "\"\\\\Z\"",
                  "\"\\\\x{e9}\"",
                  "\"[b-a]\"",
                  "\"(?U)a+\"",
                  "\"(((a{100}){100}){100})\"",
                  "5",
                  "null"});
}

}  // namespace

std::string_view draw_kind(Draw& draw) {
  return draw.of({"user", "user", "user", "org", "org", "device", "other", ""});
}

std::string_view draw_key(Draw& draw) {
  return draw.of({"a", "b", "c", "ab", "userKeyA", "userKeyB", "userKeyC", "a:b", "a%b", "",
                  "a-rather-long-key-that-does-not-fit-into-one-block-of-the-hash-0123456789"});
}

std::string_view draw_attribute(Draw& draw) {
  return draw.of({"key",
                  "key",
                  "name",
                  "anonymous",
                  "kind",
                  "/kind",
                  "/key",
                  "email",
                  "age",
                  "tags",
                  "/address/city",
                  "address",
                  "/a~1b",
                  "a/b",
                  "date",
                  "version",
                  "/tags",
                  "/address/geo/lat",
                  "/email",
                  "targetingKey",
                  "/bad~2",
                  "/bad~",
                  "/",
                  "//x",
                  "/x/",
                  "",
                  "_meta",
                  "/key/x",
                  "/kind/x",
                  "/a~0b",
                  "/address/0",
                  "/email/x",
                  "/tags/0",
                  "~1",
                  "/name",
                  "secondary",
                  "/_meta/privateAttributes",
                  "privateAttributes",
                  "custom"});
}

std::string_view draw_attribute_for(std::string_view op, Draw& draw) {
  if (draw.one_in(3)) return draw_attribute(draw);
  if (op == "before" || op == "after") return "date";
  if (op.starts_with("semVer")) return "version";
  if (op.starts_with("less") || op.starts_with("greater")) return "age";
  return draw.of({"email", "tags", "key", "a/b", "email", "tags", "kind"});
}

std::string_view draw_operator(Draw& draw) {
  return draw.of({"in",
                  "in",
                  "in",
                  "startsWith",
                  "endsWith",
                  "contains",
                  "matches",
                  "lessThan",
                  "lessThanOrEqual",
                  "greaterThan",
                  "greaterThanOrEqual",
                  "before",
                  "after",
                  "semVerEqual",
                  "semVerLessThan",
                  "semVerGreaterThan",
                  "segmentMatch",
                  "segmentMatch",
                  "nope",
                  ""});
}

std::string draw_integer(Draw& draw) {
  return std::string(draw.of({"0", "1", "2", "3", "7", "61", "-1", "1.9", "12345678901", "1e3"}));
}

std::string draw_value(Draw& draw) {
  switch (draw.below(9)) {
    case 0:
    case 1:
      return std::string(draw_text(draw));
    case 2:
    case 3:
      return std::string(draw_number(draw));
    case 4:
      return std::string(draw_date(draw));
    case 5:
      return std::string(draw_version(draw));
    case 6:
      return std::string(draw.of({"true", "false", "null", "\"u1\"", "\"a\""}));
    case 7:
      return list_of(draw.below(4), [&] {
        return std::string(draw.one_in(2) ? draw_text(draw) : draw_number(draw));
      });
    default:
      return std::string(draw.of({R"({"city":"a","geo":{"lat":1}})", "{}", R"({"city":null})",
                                  R"({"0":"x","city":["a"]})", "[]", "[[1]]", "[null]", "[true]"}));
  }
}

std::string draw_value_for(std::string_view op, Draw& draw) {
  if (draw.one_in(8)) return draw_value(draw);
  if (op == "in") {
    return draw.one_in(3)
               ? draw_value(draw)
               : std::string(draw.one_in(2)
                                 ? draw_text(draw)
                                 : draw.of({"\"a\"", "\"b\"", "\"ab\"", "\"userKeyA\""}));
  }
  if (op == "segmentMatch") {
    return std::string(draw.of({"\"s0\"", "\"s1\"", "\"s2\"", "\"s3\"", "\"gone\"", "5"}));
  }
  if (op == "matches") return std::string(draw_regex(draw));
  if (op == "before" || op == "after") return std::string(draw_date(draw));
  if (op.starts_with("semVer")) return std::string(draw_version(draw));
  if (op.starts_with("less") || op.starts_with("greater")) return std::string(draw_number(draw));
  return std::string(draw_text(draw));
}

}  // namespace flagstone::oracle
