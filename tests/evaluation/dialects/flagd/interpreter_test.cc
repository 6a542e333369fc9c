// What rules give, row by row as flagd's JsonLogic library (diegoholiveira/jsonlogic 3.9.1) gave
// it.
#include "evaluation/dialects/flagd/interpreter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/json_reader.h"
#include "evaluation/json_text.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::flagd {
namespace {

class NoRecords final : public RecordLookup {
 public:
  const CompiledRecord* find(RecordKind, std::string_view, std::string_view) const override {
    return nullptr;
  }
  const CompiledRecord* find_in_any_set(RecordKind, std::string_view) const override {
    return nullptr;
  }
};

bool append_value(std::string& out, const Value& value);

bool append_list(std::string& out, const Value& list) {
  bool fine = true;
  std::string_view comma;
  out += list.is_array() ? '[' : '{';
  if (list.is_array()) {
    for (const Value& item : list.items()) {
      out += std::exchange(comma, ",");
      fine = append_value(out, item) && fine;
    }
  } else {
    for (const Member& member : list.members()) {
      out += std::exchange(comma, ",");
      append_json_string(out, member.name);
      out += ':';
      fine = append_value(out, member.value) && fine;
    }
  }
  out += list.is_array() ? ']' : '}';
  return fine;
}

// False when there is a number that JSON cannot hold.
bool append_value(std::string& out, const Value& value) {
  if (value.is_array() || value.is_object()) return append_list(out, value);
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_string()) {
    append_json_string(out, value.as_string());
  } else {
    if (!std::isfinite(value.as_double())) return false;
    operators::append_json_number(out, value.as_double());
  }
  return true;
}

constexpr std::string_view kData =
    R"({"a":1,"s":"abc","z":"","n":null,"t":true,"o":{"p":{"q":7}},"arr":[1,2,3],
        "objs":[{"x":1},{"x":2}],"x":2,"rule":{"==":[1,1]}})";

std::string run(std::string_view rule_json) {
  JsonReader rule_reader(200);
  JsonReader data_reader(200);
  Arena arena;
  const auto rule = rule_reader.read(rule_json, arena);
  const auto data = data_reader.read(kData, arena);
  if (!rule || !data) return "not JSON";
  const NoRecords records;
  const Surroundings surroundings{*data, "f", "", 1'700'000'000, FractionalVersion::kV2, records};
  const Node node = compile_rule(*rule, arena);
  const auto result = Interpreter(surroundings, arena).run(node);
  std::string out;
  return result && append_value(out, *result) ? out : "ERROR";
}

struct Row {
  std::string_view rule;
  std::string_view result;
};

constexpr Row kRows[] = {
    {R"({"==":[1,"1"]})", R"(true)"},
    {R"({"==":[1,"x"]})", R"(false)"},
    {R"({"==":[0,""]})", R"(true)"},
    {R"({"==":[null,0]})", R"(false)"},
    {R"({"==":[null,{"var":"missing"}]})", R"(true)"},
    {R"({"==":[true,1]})", R"(true)"},
    {R"({"==":["1","1.0"]})", R"(false)"},
    {R"({"==":[[1],[1]]})", R"(false)"},
    {R"({"==":[1]})", R"(false)"},
    {R"({"==":1})", R"(ERROR)"},
    {R"({"!=":[1]})", R"(true)"},
    {R"({"===":[1,"1"]})", R"(false)"},
    {R"({"===":[null,null]})", R"(true)"},
    {R"({"===":5})", R"(false)"},
    {R"({"!==":[1,1.0]})", R"(false)"},
    {R"({"<":["b","a"]})", R"(false)"},
    {R"({"<":["10","9"]})", R"(true)"},
    {R"({"<":[10,"9"]})", R"(false)"},
    {R"({"<":[null,1]})", R"(true)"},
    {R"({"<":[1,2,3]})", R"(true)"},
    {R"({"<":[1,3,2]})", R"(false)"},
    {R"({"<=":[1,1,1]})", R"(true)"},
    {R"({">":[3,2,1]})", R"(true)"},
    {R"({">=":[3,3,4]})", R"(false)"},
    {R"({"<":[1,2,3,0]})", R"(true)"},
    {R"({"+":["1","x",2]})", R"(3)"},
    {R"({"+":"5"})", R"(5)"},
    {R"({"+":[]})", R"(0)"},
    {R"({"+":[true]})", R"(ERROR)"},
    {R"({"+":[null,1]})", R"(ERROR)"},
    {R"({"-":[5]})", R"(-5)"},
    {R"({"-":5})", R"(ERROR)"},
    {R"({"-":[9,2,3]})", R"(4)"},
    {R"({"*":[]})", R"(1)"},
    {R"({"*":[2,"3"]})", R"(6)"},
    {R"({"/":[1,0]})", R"(ERROR)"},
    {R"({"/":[8,2,2]})", R"(2)"},
    {R"({"%":[-7,3]})", R"(-1)"},
    {R"({"%":[7]})", R"(ERROR)"},
    {R"({"abs":-3})", R"(3)"},
    {R"({"abs":[-3]})", R"(3)"},
    {R"({"max":[]})", R"(null)"},
    {R"({"max":[1,"5",3]})", R"(5)"},
    {R"({"min":5})", R"(ERROR)"},
    {R"({"min":[3,1,2]})", R"(1)"},
    {R"({"cat":[" a","b "]})", R"("ab")"},
    {R"({"cat":[" a "]})", R"(" a ")"},
    {R"({"cat":"x"})", R"("x")"},
    {R"({"cat":[1.5,null,"x",1e21]})", R"("1.5x1000000000000000000000")"},
    {R"({"cat":[true]})", R"(ERROR)"},
    {R"({"cat":5})", R"(ERROR)"},
    {R"({"substr":["héllo",1,3]})", R"("éll")"},
    {R"({"substr":["héllo",-3]})", R"("llo")"},
    {R"({"substr":["héllo",1,-1]})", R"("éll")"},
    {R"({"substr":["héllo",9]})", R"("héllo")"},
    {R"({"substr":["héllo",4,-4]})", R"(ERROR)"},
    {R"({"in":["b","abc"]})", R"(true)"},
    {R"({"in":[1,"abc"]})", R"(ERROR)"},
    {R"({"in":[2,[[1,3]]]})", R"(true)"},
    {R"({"in":[0,["x"]]})", R"(true)"},
    {R"({"in":["1",[1]]})", R"(false)"},
    {R"({"in":[1,[true]]})", R"(ERROR)"},
    {R"({"in":[1]})", R"(false)"},
    {R"({"in":[[1],[1,2]]})", R"(false)"},
    {R"({"merge":[1,[2,[3]],{"a":1,"b":2}]})", R"([1,2,[3],{"a":1,"b":2}])"},
    {R"({"merge":5})", R"([5])"},
    {R"({"merge":null})", R"(ERROR)"},
    {R"({"contains_all":[[1,2,"a"],[1,"a"]]})", R"(true)"},
    {R"({"contains_any":[[1,2],["1"]]})", R"(false)"},
    {R"({"contains_none":[[1,2],[3]]})", R"(true)"},
    {R"({"contains_any":[1,2]})", R"(false)"},
    {R"({"contains_all":[[[1]],[[1]]]})", R"(ERROR)"},
    {R"({"and":[]})", R"(null)"},
    {R"({"and":[1,"a",0,2]})", R"(0)"},
    {R"({"and":[1,"a"]})", R"("a")"},
    {R"({"and":{"var":"arr"}})", R"(ERROR)"},
    {R"({"or":[0,"",{"var":"s"}]})", R"("abc")"},
    {R"({"or":[0,null]})", R"(null)"},
    {R"({"if":[]})", R"(null)"},
    {R"({"if":[1]})", R"(1)"},
    {R"({"if":[0,1,[],2,3]})", R"(3)"},
    {R"({"?:":[true,"y","n"]})", R"("y")"},
    {R"({"if":[true,{"var":"rule"}]})", R"(true)"},
    {R"({"or":[{"var":"rule"}]})", R"({"==":[1,1]})"},
    {R"({"!":[]})", R"(true)"},
    {R"({"!":[[]]})", R"(true)"},
    {R"({"!!":["0"]})", R"(true)"},
    {R"({"!":{"var":"z"}})", R"(true)"},
    {R"({"var":"o.p.q"})", R"(7)"},
    {R"({"var":["o.x","d"]})", R"("d")"},
    {R"({"var":"arr.1"})", R"(2)"},
    {R"({"var":"arr.x"})", R"(1)"},
    {R"({"var":"arr.9"})", R"(null)"},
    {R"({"var":1})", R"(null)"},
    {R"({"var":[1]})", R"(ERROR)"},
    {R"({"var":null})", R"(null)"},
    {R"({"var":true})", R"(ERROR)"},
    {R"({"var":{"cat":["","s"]}})", R"("abc")"},
    {R"({"var":"$flagd.timestamp"})", R"(1700000000)"},
    {R"({"missing":["a","b","o.p"]})", R"(["b"])"},
    {R"({"missing":"b"})", R"(["b"])"},
    {R"({"missing":[["b","d"]]})", R"([])"},
    {R"({"missing":[true]})", R"(ERROR)"},
    {R"({"missing_some":[1,["a","b"]]})", R"([])"},
    {R"({"missing_some":[2,["a","b"]]})", R"(["b"])"},
    {R"({"map":[{"var":"arr"},{"*":[{"var":""},2]}]})", R"([2,4,6])"},
    {R"({"map":[{"var":"missing"},1]})", R"([])"},
    {R"({"map":[{"var":"s"},1]})", R"(ERROR)"},
    {R"({"map":[[1]]})", R"([])"},
    {R"({"map":[[{"var":"a"}],{"var":"var"}]})", R"(["a"])"},
    {R"({"filter":[{"var":"arr"},{">":[{"var":""},1]}]})", R"([2,3])"},
    {R"({"filter":[{"var":"objs"},{"==":[{"var":"x"},1]}]})", R"([])"},
    {R"({"filter":[{"var":"objs"},{"==":[{"var":".x"},1]}]})", R"([{"x":1}])"},
    {R"({"none":[{"var":"objs"},{"==":[{"var":"x"},1]}]})", R"(true)"},
    {R"({"none":[[],{"==":[1,1]}]})", R"(true)"},
    {R"({"some":[{"var":"objs"},{"==":[{"var":"x"},1]}]})", R"(false)"},
    {R"({"some":[{"var":"arr"},{"==":[{"var":""},3]}]})", R"(true)"},
    {R"({"all":[{"var":"objs"},{">":[{"var":"x"},0]}]})", R"(true)"},
    {R"({"all":[{"var":"arr"},true]})", R"(ERROR)"},
    {R"({"all":[[],{"==":[1,1]}]})", R"(false)"},
    {R"({"all":[]})", R"(ERROR)"},
    {R"({"reduce":[{"var":"arr"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]})", R"(6)"},
    {R"({"reduce":[{"var":"arr"},{"cat":[{"var":"accumulator"},{"var":"current"}]},""]})",
     R"("123")"},
    {R"({"reduce":[{"var":"arr"},{">":[{"var":"current"},2]},false]})", R"(true)"},
    {R"({"reduce":[{"var":"arr"},{"var":"current"},null]})", R"(ERROR)"},
    {R"({"reduce":[{"var":"missing"},{"var":"current"},"x"]})", R"(0)"},
    {R"({"reduce":[[1],2,0]})", R"(ERROR)"},
    {R"({"set":[{"var":"o"},"r",5]})", R"({"p":{"q":7},"r":5})"},
    {R"({"set":[1,"k",5]})", R"(1)"},
    {R"({"set":[{"var":"o"},5,5]})", R"(ERROR)"},
    {R"({})", R"({})"},
    {R"({"a":1,"b":{"var":"a"}})", R"({"a":1,"b":{"var":"a"}})"},
    {R"([{"+":[1,1]},[{"var":"s"}]])", R"([2,["abc"]])"},
    {R"("text")", R"("text")"},
    {R"({"nope":[]})", R"(ERROR)"},
};

TEST(Interpreter, GivesWhatFlagdsLibraryGives) {
  for (const Row& row : kRows) EXPECT_EQ(run(row.rule), row.result) << row.rule;
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
