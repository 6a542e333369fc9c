#include "net/session_resources.h"

#include <array>
#include <ctime>

namespace flagstone::net {

std::unique_ptr<RequestStore> SessionResources::take_store() {
  if (free_.empty()) return std::make_unique<RequestStore>();
  std::unique_ptr<RequestStore> store = std::move(free_.back());
  free_.pop_back();
  free_bytes_ -= store->bytes();
  return store;
}

void SessionResources::give_back(std::unique_ptr<RequestStore> store) {
  const std::size_t bytes = store->bytes();
  if (free_.size() >= kStoresKeptMax || bytes > kStoreBytesKeptMax ||
      free_bytes_ + bytes > kStoresBytesKeptMax) {
    return;
  }
  free_bytes_ += bytes;
  store->text.clear();
  store->body.clear();
  store->fields.clear();
  store->views.clear();
  free_.push_back(std::move(store));
}

void SessionResources::set_date(std::int64_t unix_seconds) {
  const std::time_t time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  // strftime's names depend on the locale, which the daemon leaves at "C"; these do not.
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                    kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                    kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                    parts.tm_hour, parts.tm_min, parts.tm_sec);
  head_beginning.set_date_line({text.data(), static_cast<std::size_t>(size)});
}

}  // namespace flagstone::net
