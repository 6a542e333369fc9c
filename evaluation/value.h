// A JSON-like value during an evaluation: attributes of an evaluation context, literals in a rule,
// results on the way.
//
// 16 bytes, trivially copyable; strings, arrays and objects point to memory owned by somebody else
// (an Arena, a compiled record, the request's text). Nothing here allocates or fails.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "evaluation/same_text.h"

namespace flagstone::evaluation {

namespace operators {
class Outcome;
}
struct Member;

class Value {
 public:
  // Integers are kept apart from doubles so that 64-bit ids survive; unsigned only above int64's
  // maximum.
  enum class Type : std::uint8_t {
    kNull,
    kBool,
    kInt,
    kUnsigned,
    kDouble,
    kString,
    kArray,
    kObject
  };

  constexpr Value() = default;
  static constexpr Value null() { return {}; }
  static constexpr Value boolean(bool b);
  static constexpr Value integer(std::int64_t i);
  static constexpr Value unsigned_integer(std::uint64_t u);
  static constexpr Value number(double d);
  static constexpr Value string(std::string_view s);
  static constexpr Value array(std::span<const Value> items);
  static constexpr Value object(std::span<const Member> members);
  static constexpr Value empty_object();

  constexpr Type type() const { return type_; }
  constexpr bool is_null() const { return type_ == Type::kNull; }
  constexpr bool is_bool() const { return type_ == Type::kBool; }
  constexpr bool is_string() const { return type_ == Type::kString; }
  constexpr bool is_array() const { return type_ == Type::kArray; }
  constexpr bool is_object() const { return type_ == Type::kObject; }
  constexpr bool is_number() const {
    return type_ == Type::kInt || type_ == Type::kUnsigned || type_ == Type::kDouble;
  }

  // REQUIRES: the type asked for.
  constexpr bool as_bool() const { return assert(is_bool()), bool_; }
  constexpr std::int64_t as_int() const { return assert(type_ == Type::kInt), int_; }
  constexpr std::uint64_t as_unsigned() const {
    return assert(type_ == Type::kUnsigned), unsigned_;
  }
  // Any number, as the nearest double.
  constexpr double as_double() const;
  constexpr std::string_view as_string() const {
    return assert(is_string()), std::string_view(chars_, size_);
  }
  constexpr std::span<const Value> items() const;
  constexpr std::span<const Member> members() const;
  // The member of that name, or nullptr; nullptr also when this is no object. The last of
  // duplicates.
  constexpr const Value* member(std::string_view name) const;

  // How it lies in memory, for those who keep values among other things. The bits mean something to
  // the same type and size only.
  struct Parts {
    Type type = Type::kNull;
    std::uint32_t size = 0;
    std::uint64_t bits = 0;
  };
  Parts parts() const {
    Parts parts{type_, size_, 0};
    std::memcpy(&parts.bits, &int_, sizeof parts.bits);
    return parts;
  }
  static Value of(const Parts& parts) {
    Value v;
    v.type_ = parts.type;
    v.size_ = parts.size;
    std::memcpy(&v.int_, &parts.bits, sizeof parts.bits);
    return v;
  }

 private:
  // An operator that gave no value keeps the reason where a value would be.
  friend class operators::Outcome;
  static constexpr Type kFailure = static_cast<Type>(0xFF);
  static constexpr Value failure(std::string_view message);
  constexpr bool is_failure() const { return type_ == kFailure; }
  constexpr std::string_view failure_message() const {
    return assert(is_failure()), std::string_view(chars_, size_);
  }

  Type type_ = Type::kNull;
  std::uint32_t size_ = 0;  // bytes of a string, elements of an array, members of an object
  union {
    bool bool_;
    std::int64_t int_ = 0;
    std::uint64_t unsigned_;
    double double_;
    const char* chars_;
    const Value* items_;
    const Member* members_;
  };
};

// One `name: value` of an object.
struct Member {
  std::string_view name;
  Value value;
};

constexpr Value Value::boolean(bool b) {
  Value v;
  v.type_ = Type::kBool;
  v.bool_ = b;
  return v;
}
constexpr Value Value::integer(std::int64_t i) {
  Value v;
  v.type_ = Type::kInt;
  v.int_ = i;
  return v;
}
constexpr Value Value::unsigned_integer(std::uint64_t u) {
  Value v;
  v.type_ = Type::kUnsigned;
  v.unsigned_ = u;
  return v;
}
constexpr Value Value::number(double d) {
  Value v;
  v.type_ = Type::kDouble;
  v.double_ = d;
  return v;
}
constexpr Value Value::string(std::string_view s) {
  Value v;
  v.type_ = Type::kString;
  v.size_ = static_cast<std::uint32_t>(s.size());
  v.chars_ = s.data();
  return v;
}
constexpr Value Value::failure(std::string_view message) {
  Value v = string(message);
  v.type_ = kFailure;
  return v;
}
constexpr Value Value::array(std::span<const Value> items) {
  Value v;
  v.type_ = Type::kArray;
  v.size_ = static_cast<std::uint32_t>(items.size());
  v.items_ = items.data();
  return v;
}
constexpr Value Value::object(std::span<const Member> members) {
  Value v;
  v.type_ = Type::kObject;
  v.size_ = static_cast<std::uint32_t>(members.size());
  v.members_ = members.data();
  return v;
}
constexpr Value Value::empty_object() { return object({}); }

constexpr double Value::as_double() const {
  if (type_ == Type::kInt) return static_cast<double>(int_);
  if (type_ == Type::kUnsigned) return static_cast<double>(unsigned_);
  return assert(type_ == Type::kDouble), double_;
}
constexpr std::span<const Value> Value::items() const {
  return assert(is_array()), std::span<const Value>(items_, size_);
}
constexpr std::span<const Member> Value::members() const {
  return assert(is_object()), std::span<const Member>(members_, size_);
}
constexpr const Value* Value::member(std::string_view name) const {
  if (type_ != Type::kObject) return nullptr;
  for (std::size_t i = size_; i-- > 0;) {
    if (same_text(members_[i].name, name)) return &members_[i].value;
  }
  return nullptr;
}

}  // namespace flagstone::evaluation
