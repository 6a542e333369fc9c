#include "evaluation/dialects/flagd/wire/struct_reader.h"

#include <limits>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/wire/protobuf_writer.h"
#include "evaluation/json_reader.h"
#include "tests/evaluation/dialects/flagd/wire/struct_messages.h"

namespace flagstone::evaluation::flagd {
namespace {

using flagd_wire::Struct;

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  append_bytes(out, number, bytes);
  return out;
}
std::string entry(std::string_view key, std::string_view value) {
  return field(1, field(1, key) + field(2, value));
}
std::string number_of(double number) {
  std::string out;
  append_double(out, 2, number);
  return out;
}

TEST(StructReader, ReadsWhatProtobufWrites) {
  Arena arena;
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Struct object = RandomStructs(seed).next(5);
    arena.reset();
    const std::string message = object.SerializeAsString();
    const auto read = StructReader(arena).read(message);
    ASSERT_TRUE(read) << read.error();
    expect_equal(object, *read);
  }
}

TEST(StructReader, NumbersAreOfTheTypeThatJsonGives) {
  for (const double number : {0.0, 1.0, -1.0, 0.5, 1e15, 9007199254740992.0, -9e18, 1e300, 1e19}) {
    std::string text;
    operators::append_json_number(text, number);
    JsonReader json(2);
    Arena arena;
    const auto read = json.read(text, arena);
    ASSERT_TRUE(read);
    const Value value = number_value(number);
    // Only beyond 2^53, where JSON's spelling decides, may they differ; the number never does.
    EXPECT_EQ(value.as_double(), read->as_double()) << text;
    if (std::abs(number) <= 9007199254740992.0) {
      EXPECT_EQ(value.type(), read->type()) << text;
    }
  }
}

// Malformed or odd encodings: what protobuf takes is taken alike, what it refuses is refused.
TEST(StructReader, JudgesOddEncodingsAsProtobufDoes) {
  const std::string one = number_of(1);
  const std::string two = number_of(2);
  const std::string rows[] = {
      "",
      entry("a", one),
      entry("a", one) + entry("a", two),                                  // the last wins
      field(1, field(2, one)),                                            // no key
      field(1, field(1, "a")),                                            // no value
      field(1, ""),                                                       // neither
      field(1, field(2, one) + field(1, "a")),                            // the other way round
      field(1, field(1, "a") + field(1, "b") + field(2, one)),            // two keys
      field(1, field(1, "a") + field(2, one) + field(2, two)),            // a value in two pieces
      entry("a", one + field(3, "text")),                                 // two kinds
      entry("a", field(5, entry("b", one)) + field(5, entry("c", two))),  // a struct in two pieces
      entry("a", field(5, entry("b", one)) + two + field(5, entry("c", two))),
      entry("a", field(6, field(1, one)) + field(6, field(1, two))),
      entry("a", field(6, field(1, one)) + field(5, "") + field(6, field(1, two))),
      entry("a", std::string("\x08\x00", 2)),
      entry("a", std::string("\x20\x01", 2)),
      entry("a", std::string("\x20\xff\x01", 3)),          // a bool of 255
      entry("a", std::string("\x1d\x00\x00\x00\x00", 5)),  // field 3 as fixed32: unknown
      entry("a", one) + field(7, "unknown"),
      entry("a", one) + std::string("\x9b\x06\x08\x01\x9c\x06", 6),  // a group, passed over
      entry("a", one) + std::string("\x9b\x06\x08\x01\xa4\x06", 6),  // ended by another's end
      entry("a", one) + std::string("\x9b\x06\x08\x01", 4),          // not ended
      entry("a", one) + std::string("\x9c\x06", 2),                  // not begun
      std::string("\x00\x01", 2),                                    // field 0
      std::string("\x0e\x01", 2),                                    // wire type 6
      std::string("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12),  // 11 bytes of varint
      std::string("\x0a\x81\x00", 3),                                       // cut
      entry("\xff", one),
      entry("a", field(3, "\xc3")),
      entry("a", field(3, "\xed\xa0\x80")),
  };
  for (const std::string& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row));
    Struct oracle;
    const bool taken = oracle.ParseFromString(row);
    Arena arena;
    const auto read = StructReader(arena).read(row);
    ASSERT_EQ(read.has_value(), taken) << (read ? "" : read.error());
    if (taken) expect_equal(oracle, *read);
  }
}

TEST(StructReader, RefusesWhatJsonHasNoWordFor) {
  for (const double number :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    Arena arena;
    EXPECT_FALSE(StructReader(arena).read(entry("a", number_of(number))));
  }
}

TEST(StructReader, NestingHasALimit) {
  const auto nested = [](std::size_t levels, std::uint32_t kind) {
    std::string message = kind == 5 ? "" : field(1, "");
    for (std::size_t i = 0; i < levels; ++i) {
      message = kind == 5 ? entry("a", field(kind, message)) : field(1, field(kind, message));
    }
    return kind == 5 ? message : entry("a", field(kind, message));
  };
  for (const std::uint32_t kind : {5u, 6u}) {
    Arena arena;
    EXPECT_TRUE(StructReader(arena).read(nested(kJsonDepthMax - 2, kind))) << kind;
    EXPECT_FALSE(StructReader(arena).read(nested(kJsonDepthMax, kind))) << kind;
    EXPECT_FALSE(StructReader(arena).read(nested(2'000, kind))) << kind;
  }
}

// A struct cut in two on every level would be put together once per level.
TEST(StructReader, PiecesHaveALimit) {
  std::string message = entry("text", field(3, std::string(50'000, 'x')));
  for (int i = 0; i < 3; ++i) {
    message = entry("a", field(5, message) + field(5, entry("b", number_of(1))));
    Arena arena;
    EXPECT_EQ(StructReader(arena).read(message).has_value(), i == 0) << i;
  }
}

TEST(StructReader, EveryCutAndMutationIsAValueOrAnError) {
  const std::string whole = RandomStructs(4).next(6).SerializeAsString() +
                            entry("last", field(5, entry("deep", field(3, "text"))));
  Arena arena;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    arena.reset();
    // A copy of its own size, so that a sanitizer sees every byte read behind it.
    const std::string cut = whole.substr(0, size);
    Struct oracle;
    const auto read = StructReader(arena).read(cut);
    EXPECT_EQ(read.has_value(), oracle.ParseFromString(cut)) << size;
  }
  std::mt19937 random(1);
  int taken = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string mutated = whole;
    for (int changes = 1 + i % 3; changes > 0; --changes) {
      mutated[random() % mutated.size()] = static_cast<char>(random());
    }
    arena.reset();
    Struct oracle;
    const auto read = StructReader(arena).read(mutated);
    // Not all that protobuf takes is ours to take (NaN), and what a later field of the same message
    // replaces is not looked into.
    if (read && oracle.ParseFromString(mutated)) {
      ++taken;
      expect_equal(oracle, *read);
    }
  }
  EXPECT_GT(taken, 200);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
