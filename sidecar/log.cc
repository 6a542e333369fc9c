#include "sidecar/log.h"

#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace flagstone::sidecar {
namespace {

constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kDelete = 0x7f;

// `%v` with everything escaped that could end the line or the JSON string it stands in.
class EscapedMessage final : public spdlog::custom_flag_formatter {
 public:
  explicit EscapedMessage(bool json) : json_(json) {}
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& to) override {
    for (char c : message.payload) {
      auto byte = static_cast<unsigned char>(c);
      if (byte < kFirstPrintable || byte == kDelete) {
        append(to, json_ ? fmt::format("\\u{:04x}", byte) : fmt::format("\\x{:02x}", byte));
      } else if (json_ && (c == '"' || c == '\\')) {
        to.push_back('\\');
        to.push_back(c);
      } else {
        to.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>(json_);
  }

 private:
  static void append(spdlog::memory_buf_t& to, const std::string& text) {
    to.append(text.data(), text.data() + text.size());
  }
  bool json_;
};

spdlog::level::level_enum to_spdlog(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kTrace:
      return spdlog::level::trace;
    case config::LogLevel::kDebug:
      return spdlog::level::debug;
    case config::LogLevel::kInfo:
      return spdlog::level::info;
    case config::LogLevel::kWarn:
      return spdlog::level::warn;
    case config::LogLevel::kError:
      return spdlog::level::err;
    case config::LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(config::LogLevel level, config::LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("flagstone",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  bool json = format == config::LogFormat::kJson;
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<EscapedMessage>('*', json);
  formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})"
                              : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %*");
  logger->set_formatter(std::move(formatter));
  set_level(*logger, level);
  return logger;
}

void set_level(spdlog::logger& logger, config::LogLevel level) {
  logger.set_level(to_spdlog(level));
}

}  // namespace flagstone::sidecar
