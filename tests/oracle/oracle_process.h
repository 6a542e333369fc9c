// The oracle as a child process: lines go in, lines come out.
//
// Asking and reading may be done by two threads, one each. Whoever made it waits for its end when
// it is destroyed. Fails by saying false: the process is not there or has ended.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace flagstone::oracle {

class OracleProcess {
 public:
  explicit OracleProcess(const char* path);
  ~OracleProcess();
  OracleProcess(const OracleProcess&) = delete;
  OracleProcess& operator=(const OracleProcess&) = delete;

  // `line` with its line end.
  bool ask(std::string_view line);
  void end_asking();
  // The next line without its end.
  bool read_line(std::string& line);

 private:
  pid_t child_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
  std::size_t taken_ = 0;
};

}  // namespace flagstone::oracle
