// Draws numbers, and writes JSON objects of which now and then a member has a wrong type.
//
// One per case; the same draws for the same seed, on every machine.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace flagstone::oracle {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  // Below `end`, which is not zero. Of the standard's own, distributions differ between libraries.
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  bool one_in(std::size_t many) { return below(many) == 0; }
  std::string_view of(std::initializer_list<std::string_view> pool) {
    return pool.begin()[below(pool.size())];
  }

 private:
  std::mt19937_64 engine_;
};

// Writes one object; what it writes is complete after end().
class ObjectWriter {
 public:
  explicit ObjectWriter(Draw& draw) : draw_(draw) {}

  void add(std::string_view name, std::string_view json) {
    text_ += text_.size() == 1 ? "\"" : ",\"";
    text_.append(name).append("\":");
    // Seldom enough that most records stay whole.
    text_ += draw_.one_in(2500) ? draw_.of({"null", "true", "5", "-1.5", "\"x\"", "[]", "{}", "[1]",
                                            "[null]", "{\"a\":1}", "[\"x\"]", "\"\"", "[{}]"})
                                : json;
  }
  void add_text(std::string_view name, std::string_view text) {
    std::string quoted = "\"";
    quoted.append(text).append("\"");
    add(name, quoted);
  }
  // Never of a wrong type.
  void add_exactly(std::string_view name, std::string_view json) {
    text_ += text_.size() == 1 ? "\"" : ",\"";
    text_.append(name).append("\":").append(json);
  }
  void add_flag(std::string_view name, bool value) { add(name, value ? "true" : "false"); }
  std::string end() { return text_ + "}"; }

 private:
  Draw& draw_;
  std::string text_ = "{";
};

// A list of what `make()` gives, `count` times.
template <typename Make>
std::string list_of(std::size_t count, Make make) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += ',';
    text += make();
  }
  return text + "]";
}

}  // namespace flagstone::oracle
