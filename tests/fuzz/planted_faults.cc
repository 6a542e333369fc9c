// A target with one fault of each kind, for the test of the replay: the bytes name which.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace {

constexpr std::string_view kGrowing = "grow";

int read_behind(const std::uint8_t* data, std::size_t size) { return data[size]; }

int overflow(std::size_t size) {
  return std::numeric_limits<int>::max() - 7 + static_cast<int>(size);
}

void lose(std::size_t size) {
  char* volatile lost = new char[size];
  lost[0] = 'x';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text == "abort") std::abort();
  if (text == "exit") std::exit(0);
  // So that no compiler leaves out what nobody asks for.
  volatile int said = 0;
  if (text == "overflow") said = overflow(size);
  if (text == "read behind") said = read_behind(data, size);
  if (text == "leak") lose(size);
  // Only a mutation of the seed `grow` is longer than it.
  if (text.starts_with(kGrowing) && text.size() > kGrowing.size()) std::abort();
  (void)said;
  return 0;
}
