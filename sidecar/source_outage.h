// How long a source has been failing, refused or held, and when that is to be said again: a log
// whose last line is of the beginning leaves open whether it lasts.
//
// A value of its SourceSeat, on the keeper's thread; the times are handed in.
#pragma once

#include <cstdint>
#include <string>

namespace flagstone::sidecar {

class SourceOutage {
 public:
  static constexpr std::int64_t kSayAgainMs = 600'000;

  // One more time.
  void note(std::int64_t now_ms, std::int64_t unix_ms);
  void told(std::int64_t now_ms) { told_ms_ = now_ms; }
  bool is_to_be_told_again(std::int64_t now_ms) const { return now_ms - told_ms_ >= kSayAgainMs; }
  // "18:13 (12 tries)", in UTC as the log's own times; with the date where that was another day.
  std::string since(std::int64_t unix_ms) const;
  // "2m38s"
  std::string lasted(std::int64_t now_ms) const;
  void end() { tries_ = 0; }

 private:
  std::uint64_t tries_ = 0;  // Zero: there is none.
  std::int64_t since_ms_ = 0;
  std::int64_t since_unix_ms_ = 0;
  std::int64_t told_ms_ = 0;
};

}  // namespace flagstone::sidecar
