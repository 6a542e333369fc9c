// The load client's command line: reads options, runs the load once, prints one line of JSON.
//
//   load_client --target 127.0.0.1:8016
//     (--request-file FILE | --path PATH | --paths-file FILE) [--body JSON] [options]
//
// --request-file holds the exact bytes to send. With --path, a POST with a JSON body is prepared;
// without --body, its context has the five attributes of the benchmark. --paths-file has a path on
// each line, which are asked for in turn and anew.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/bench/load.h"

namespace {

using flagstone::bench::LoadOptions;
using flagstone::bench::LoadResult;

constexpr std::string_view kFiveAttributes =
    R"({"context":{"targetingKey":"user-48151623","email":"ada@example.org","country":"DE",)"
    R"("plan":"premium","appVersion":"4.8.15"}})";
constexpr std::string_view kUsage =
    "load_client --target HOST:PORT|unix:PATH\n"
    "            (--request-file FILE | --path PATH | --paths-file FILE) [--body JSON]\n"
    "  --connections N        1\n"
    "  --rate R               so many requests a second in all; latency from when one is due\n"
    "  --warm-up-seconds S    0.5\n"
    "  --seconds S            3\n"
    "  --requests N           stop earlier, after N measured answers\n"
    "  --server-pid PID       account that process's CPU time in the window\n"
    "  --sleep yes            sleep until an answer comes, instead of asking again at once\n";

struct Arguments {
  LoadOptions load;
  std::string path;
  std::string paths;
  std::string body{kFiveAttributes};
};

[[noreturn]] void refuse(std::string_view why) {
  std::fprintf(stderr, "load_client: %.*s\n%.*s", static_cast<int>(why.size()), why.data(),
               static_cast<int>(kUsage.size()), kUsage.data());
  std::exit(64);
}

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.empty()) refuse(std::string("cannot read ") + path);
  return bytes;
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    refuse("not a number: " + std::string(text));
  return value;
}

void take_option(Arguments& arguments, std::string_view name, const char* value) {
  LoadOptions& load = arguments.load;
  if (name == "--target") {
    load.target = value;
  } else if (name == "--request-file") {
    load.requests = flagstone::bench::RequestSequence(read_file(value));
  } else if (name == "--path") {
    arguments.path = value;
  } else if (name == "--paths-file") {
    arguments.paths = read_file(value);
  } else if (name == "--body") {
    arguments.body = value;
  } else if (name == "--connections") {
    load.connections = number<unsigned>(value);
  } else if (name == "--rate") {
    load.rate = number<double>(value);
  } else if (name == "--warm-up-seconds") {
    load.warm_up_seconds = number<double>(value);
  } else if (name == "--seconds") {
    load.seconds = number<double>(value);
  } else if (name == "--requests") {
    load.answers = number<std::uint64_t>(value);
  } else if (name == "--server-pid") {
    load.server_pid = number<pid_t>(value);
  } else if (name == "--sleep") {
    load.sleep = std::string_view(value) == "yes";
  } else {
    refuse("unknown option " + std::string(name));
  }
}

// What follows the path.
std::string rest_of_request(const std::string& body) {
  return " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load-client\r\nAccept: application/json\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

Arguments read_arguments(int argc, char** argv) {
  using flagstone::bench::RequestSequence;
  Arguments arguments;
  LoadOptions& load = arguments.load;
  if (argc % 2 == 0) refuse("every option has a value");
  for (int i = 1; i + 1 < argc; i += 2) take_option(arguments, argv[i], argv[i + 1]);
  const std::string rest = rest_of_request(arguments.body);
  if (!arguments.paths.empty()) {
    load.requests = RequestSequence("POST ", std::move(arguments.paths), rest);
  } else if (!arguments.path.empty()) {
    load.requests = RequestSequence("POST " + arguments.path + rest);
  }
  if (load.target.empty() || load.requests.empty())
    refuse("--target and --request-file, --path or --paths-file are needed");
  if (load.connections == 0) refuse("--connections must be at least 1");
  return arguments;
}

void print_server(const LoadResult& result) {
  if (!result.server_cpu) return;
  const auto& cpu = *result.server_cpu;
  const double cpu_us = static_cast<double>(cpu.total_ns) / 1000.0;
  const auto ticks = static_cast<double>(cpu.user_ticks + cpu.system_ticks);
  const double user_share = ticks > 0 ? static_cast<double>(cpu.user_ticks) / ticks : 0;
  const double per_request_us = cpu_us / static_cast<double>(result.latency.counted());
  std::printf(R"(, "server": {"cpu_us_per_request": %.3f, "user_us_per_request": %.3f, )"
              R"("system_us_per_request": %.3f, "busy_share": %.4f})",
              per_request_us, per_request_us * user_share, per_request_us * (1 - user_share),
              cpu_us / 1e6 / result.seconds);
}

void print_result(const LoadOptions& options, const LoadResult& result) {
  const auto& latency = result.latency;
  std::printf(
      R"({"connections": %u, "requests": %llu, "seconds": %.4f, "requests_per_second": %.1f, )"
      R"("latency_us": {"p50": %.1f, "p99": %.1f, "max": %.1f}, "errors": %llu, "bytes_read": %llu, )"
      R"("client_busy_share": %.4f)",
      options.connections, static_cast<unsigned long long>(latency.counted()), result.seconds,
      static_cast<double>(latency.counted()) / result.seconds, latency.percentile_us(0.5),
      latency.percentile_us(0.99), latency.max_us(), static_cast<unsigned long long>(result.errors),
      static_cast<unsigned long long>(result.bytes_read), result.client_busy_share);
  if (options.rate > 0)
    std::printf(R"(, "rate": %.1f, "overdue": %llu)", options.rate,
                static_cast<unsigned long long>(result.overdue));
  print_server(result);
  if (result.errors > 0) std::printf(R"(, "first_error": "%s")", result.first_error.c_str());
  std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = read_arguments(argc, argv);
  const auto result = flagstone::bench::run_load(arguments.load);
  if (!result) {
    std::fprintf(stderr, "load_client: %s\n", result.error().c_str());
    return 1;
  }
  print_result(arguments.load, *result);
}
