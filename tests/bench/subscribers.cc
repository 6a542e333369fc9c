// Many subscribers of a server stream over HTTP/2, a connection each: how long until the last of
// them has what changed?
//
//   subscribers --target ADDRESS --request-file FILE --subscribers N
//
// The file holds the bytes that open one stream: preface, SETTINGS, HEADERS, DATA. Prints `ready`
// when every subscriber has had its first DATA frame; after that, when every one has had a second,
// the time of the last as `changed SECONDS` by the monotonic clock, and ends. What an answer says
// is the tests' matter; here it is only awaited.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/target.h"

namespace {

using flagstone::bench::connect_to;

constexpr std::size_t kFrameHeadBytes = 9;
constexpr std::uint8_t kData = 0;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "subscribers: %s\n", what.c_str());
  std::exit(1);
}

struct Subscriber {
  int descriptor = -1;
  std::array<std::uint8_t, kFrameHeadBytes> head{};
  std::size_t head_bytes = 0;
  std::size_t payload_left_bytes = 0;
  int data_frames = 0;

  // Takes what was read; counts DATA frames that are not empty once they are whole.
  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      if (head_bytes < kFrameHeadBytes) {
        const std::size_t wanted = std::min(kFrameHeadBytes - head_bytes, bytes.size());
        std::memcpy(head.data() + head_bytes, bytes.data(), wanted);
        head_bytes += wanted;
        bytes.remove_prefix(wanted);
        if (head_bytes < kFrameHeadBytes) return;
        payload_left_bytes = std::size_t{head[0]} << 16 | std::size_t{head[1]} << 8 | head[2];
        if (payload_left_bytes == 0) head_bytes = 0;
        continue;
      }
      const std::size_t taken = std::min(payload_left_bytes, bytes.size());
      payload_left_bytes -= taken;
      bytes.remove_prefix(taken);
      if (payload_left_bytes > 0) return;
      if (head[3] == kData) ++data_frames;
      head_bytes = 0;
    }
  }
};

class Crowd {
 public:
  Crowd(const std::string& target, const std::string& opening, std::size_t count)
      : subscribers_(count), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < count; ++i) {
      auto connected = connect_to(target);
      if (!connected) fail(connected.error());
      subscribers_[i].descriptor = *connected;
      if (::write(subscribers_[i].descriptor, opening.data(), opening.size()) !=
          static_cast<ssize_t>(opening.size())) {
        fail("cannot send the request");
      }
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, subscribers_[i].descriptor, &event);
      // The server answers in between, so that its backlog is never full.
      read_what_there_is(0);
    }
  }

  void await_frames(int frames) {
    while (behind(frames)) read_what_there_is(-1);
  }

 private:
  bool behind(int frames) const {
    for (const Subscriber& subscriber : subscribers_) {
      if (subscriber.data_frames < frames) return true;
    }
    return false;
  }

  void read_what_there_is(int timeout_ms) {
    std::array<epoll_event, 256> events;
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      Subscriber& subscriber = subscribers_[events[static_cast<std::size_t>(i)].data.u64];
      std::array<char, 16384> buffer;
      const ssize_t got = ::read(subscriber.descriptor, buffer.data(), buffer.size());
      if (got <= 0) fail("a stream ended");
      subscriber.take({buffer.data(), static_cast<std::size_t>(got)});
    }
  }

  std::vector<Subscriber> subscribers_;
  int epoll_;
};

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string target, opening;
  std::size_t count = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--target") {
      target = argv[i + 1];
    } else if (option == "--request-file") {
      std::ifstream file(argv[i + 1], std::ios::binary);
      opening.assign(std::istreambuf_iterator<char>(file), {});
    } else if (option == "--subscribers") {
      count = static_cast<std::size_t>(std::atoll(argv[i + 1]));
    }
  }
  if (target.empty() || opening.empty() || count == 0) fail("all three options are needed");
  Crowd crowd(target, opening, count);
  crowd.await_frames(1);
  std::puts("ready");
  std::fflush(stdout);
  crowd.await_frames(2);
  std::printf("changed %.6f\n", monotonic_seconds());
  return 0;
}
