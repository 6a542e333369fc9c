#include "tests/oracle/oracle_process.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

extern char** environ;

namespace flagstone::oracle {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

void close_one(int& descriptor) {
  if (descriptor >= 0) close(std::exchange(descriptor, -1));
}

}  // namespace

OracleProcess::OracleProcess(const char* path) {
  // One that ends early is told by write().
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> in = {-1, -1};
  std::array<int, 2> out = {-1, -1};
  if (pipe(in.data()) != 0 || pipe(out.data()) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  for (const int descriptor : {in[0], in[1], out[0], out[1]}) {
    posix_spawn_file_actions_addclose(&actions, descriptor);
  }
  std::string program(path);
  std::array<char*, 2> arguments = {program.data(), nullptr};
  if (posix_spawn(&child_, path, &actions, nullptr, arguments.data(), environ) != 0) child_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_ = in[1];
  from_ = out[0];
}

OracleProcess::~OracleProcess() {
  close_one(to_);
  close_one(from_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

bool OracleProcess::ask(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(to_, line.data(), line.size());
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void OracleProcess::end_asking() { close_one(to_); }

bool OracleProcess::read_line(std::string& line) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', taken_);
    if (end != std::string::npos) {
      line.assign(buffer_, taken_, end - taken_);
      taken_ = end + 1;
      return true;
    }
    buffer_.erase(0, std::exchange(taken_, 0));
    std::array<char, kReadBytes> piece;
    const ssize_t size = read(from_, piece.data(), piece.size());
    if (size <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace flagstone::oracle
