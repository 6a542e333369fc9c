#include "upstream/configured_headers.h"

#include <utility>

#include "upstream/redact.h"

namespace flagstone::upstream {

ConfiguredHeaders::ConfiguredHeaders(const std::vector<config::Header>& headers,
                                     const SourceEnvironment& environment,
                                     const std::function<void()>& on_change) {
  for (const config::Header& header : headers) {
    names_.push_back(header.name);
    values_.push_back(std::make_unique<Credential>(environment.loop, environment.files,
                                                   header.value, environment.variables, on_change));
  }
}

void ConfiguredHeaders::start() {
  for (const auto& value : values_) value->start();
}

void ConfiguredHeaders::stop() {
  for (const auto& value : values_) value->stop();
}

std::expected<void, std::string> ConfiguredHeaders::append_to(
    std::vector<HttpHeader>& headers) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Credential& value = *values_[i];
    if (!value.problem().empty()) return std::unexpected(value.problem());
    headers.push_back({names_[i], value.secret().reveal(), true});
  }
  return {};
}

std::string ConfiguredHeaders::without_secrets(std::string message) const {
  for (const auto& value : values_) {
    message = without_secret(std::move(message), value->secret().reveal());
  }
  return message;
}

}  // namespace flagstone::upstream
