#include "net/listener.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "net/loop.h"
#include "net/server.h"
#include "net/timer.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/test_client.h"

namespace flagstone::net {
namespace {

class UnixListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "flagstone-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/f.sock";
    address_ = *Address::parse("unix:" + path_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A process that serves the path and is killed without a chance to clean up.
  void leave_a_stale_socket() const {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto socket = BoundSocket::bind(address_);
      ::_exit(socket ? 0 : 1);  // runs no destructor, as kill -9 would not
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(std::filesystem::is_socket(path_));
  }

  std::string folder_, path_;
  Address address_;
};

TEST_F(UnixListenerTest, BindsWithItsModeAndCleansUp) {
  {
    const auto socket = BoundSocket::bind(address_);
    ASSERT_TRUE(socket) << socket.error().message;
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0660u);
    EXPECT_TRUE(TestClient(address_).connected);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListenerTest, TakesAStaleSocketOver) {
  for (int i = 0; i < 3; ++i) {
    leave_a_stale_socket();
    EXPECT_FALSE(TestClient(address_).connected);
    const auto socket = BoundSocket::bind(address_);
    ASSERT_TRUE(socket) << socket.error().message;
    EXPECT_TRUE(TestClient(address_).connected);
  }
}

TEST_F(UnixListenerTest, ASecondOwnerIsRefusedAndTheFirstUnharmed) {
  const auto first = BoundSocket::bind(address_);
  ASSERT_TRUE(first);
  const auto second = BoundSocket::bind(address_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another process serves " + path_), std::string::npos);
  EXPECT_TRUE(TestClient(address_).connected);
}

TEST_F(UnixListenerTest, AnotherProgramsSocketWithoutLockIsLeftAlone) {
  const int other = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy(path_.begin(), path_.end(), name.sun_path);
  ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(other, 1), 0);
  const auto socket = BoundSocket::bind(address_);
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("another process serves"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path_));
  ::close(other);
}

TEST_F(UnixListenerTest, AFileInTheWayIsNotRemoved) {
  std::ofstream(path_) << "precious";
  const auto socket = BoundSocket::bind(address_);
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("a file is in the way"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixListenerTest, LeavesASocketThatIsNotItsOwnAtTheEnd) {
  std::optional<BoundSocket> ours(*BoundSocket::bind(address_));
  std::filesystem::rename(path_, path_ + ".moved");
  std::ofstream(path_) << "somebody else's";
  ours.reset();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixListenerTest, SaysWhatIsWrongWithTheFolder) {
  const auto socket = BoundSocket::bind(*Address::parse("unix:" + folder_ + "/none/f.sock"));
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("No such file"), std::string::npos);
}

TEST_F(UnixListenerTest, ServesRequests) {
  const auto socket = BoundSocket::bind(address_);
  ASSERT_TRUE(socket);
  RecordingHandler handler;
  Loop loop;
  Server server(loop, handler);
  ASSERT_TRUE(server.listen(*socket, 4));
  TestClient client(address_);
  ASSERT_TRUE(
      client.write("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"
                   "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  Timer look(loop, [&] {
    if (server.counters().accepted.read() == 1 && server.counters().open.read() == 0) loop.stop();
  });
  look.start_repeating(1, 1);
  loop.run();
  const std::string answers = client.read_to_end();
  EXPECT_NE(answers.find("\r\n\r\nokHTTP/1.1 200 OK\r\n"), std::string::npos) << answers;
  EXPECT_TRUE(answers.ends_with("GET /2"));
  ASSERT_EQ(handler.seen.size(), 2u);
  EXPECT_EQ(handler.seen[0].kind, ListenerKind::kUnix);
  EXPECT_EQ(handler.seen[0].listener_index, 4u);
}

TEST(TcpListener, ReportsThePortAndRefusesASecondOwner) {
  const auto first = BoundSocket::bind(*Address::parse("localhost:0"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_NE(first->address().port(), 0);
  const auto second = BoundSocket::bind(first->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number, EADDRINUSE);
  EXPECT_NE(second.error().message.find(first->address().to_string()), std::string::npos);
}

// The kernel's doing, which takes as long as it says; that it begins is seen by an integration
// test.
TEST(TcpListener, PeersThatVanishWhileIdleAreNoticedWithinAMinute) {
  const auto socket = BoundSocket::bind(*Address::parse("127.0.0.1:0"));
  ASSERT_TRUE(socket);
  TestClient client(socket->address());
  const int accepted = ::accept4(socket->descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(accepted, 0);
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(accepted, level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE) +
                option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT),
            60);
  ::close(accepted);
}

TEST(TcpListener, TwoLoopsShareOneAddress) {
  const auto socket = BoundSocket::bind(*Address::parse("127.0.0.1:0"));
  ASSERT_TRUE(socket);
  RecordingHandler handler;
  Loop first_loop, second_loop;
  std::optional<Server> first(std::in_place, first_loop, handler);
  Server second(second_loop, handler);
  ASSERT_TRUE(first->listen(*socket, 0));
  ASSERT_TRUE(second.listen(*socket, 0));
  first.reset();  // the other goes on
  TestClient client(socket->address());
  ASSERT_TRUE(client.write("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  Timer look(second_loop, [&] {
    if (second.counters().requests.read() == 1 && second.counters().open.read() == 0) {
      second_loop.stop();
    }
  });
  look.start_repeating(1, 1);
  second_loop.run();
  EXPECT_TRUE(client.read_to_end().ends_with("GET /x"));
}

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count - 3;  // ".", ".." and the folder's own
}

// In a process of its own, since it takes every descriptor. Exit status 0: as it should be.
int run_out_of_descriptors() {
  RecordingHandler handler;
  const auto socket = BoundSocket::bind(*Address::parse("127.0.0.1:0"));
  Loop loop;
  Server server(loop, handler);
  if (!socket || !server.listen(*socket, 0)) return 1;
  TestClient early(socket->address());
  TestClient refused(socket->address());
  std::vector<int> hoard;
  // Leave room for exactly the first connection.
  const rlimit limit{static_cast<rlim_t>(open_descriptors() + 20),
                     static_cast<rlim_t>(open_descriptors() + 20)};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) hoard.push_back(fd);
  if (hoard.empty()) return 3;
  ::close(hoard.back());
  hoard.pop_back();

  int turns = 0;
  Timer look(loop, [&] {
    ++turns;
    if (server.counters().refused.read() == 1) loop.stop();
  });
  look.start_repeating(1, 1);
  early.write("GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
  loop.run();
  if (server.counters().accepted.read() != 1) return 4;
  if (!refused.read_to_end().empty()) return 5;

  // Descriptors are free again: the listener recovers by itself after its pause.
  for (const int fd : hoard) ::close(fd);
  TestClient late(socket->address());
  if (!late.connected) return 6;
  late.write("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  Timer again(loop, [&] {
    if (server.counters().requests.read() == 2) loop.stop();
  });
  again.start_repeating(1, 1);
  look.stop();
  loop.run();
  return server.counters().accepted.read() == 2 ? 0 : 7;
}

TEST(TcpListener, SurvivesTheLackOfDescriptors) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(run_out_of_descriptors());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(AffordableConnections, LeavesDescriptorsForOthers) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const std::size_t all = limit.rlim_cur;
  EXPECT_EQ(affordable_connections(10, 0), 10u);
  EXPECT_EQ(affordable_connections(all + 5, 32), all - 32);
  EXPECT_EQ(affordable_connections(10, all + 1), 1u);
}

}  // namespace
}  // namespace flagstone::net
