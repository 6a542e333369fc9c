// The request headers that an operator wrote for a source, their values followed where they stand
// in files.
//
// Owned by a source, on the keeper's loop.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "upstream/credential.h"
#include "upstream/http_client.h"
#include "upstream/source_environment.h"

namespace flagstone::upstream {

class ConfiguredHeaders {
 public:
  ConfiguredHeaders(const std::vector<config::Header>& headers,
                    const SourceEnvironment& environment, const std::function<void()>& on_change);

  void start();
  void stop();
  // The error says which value there is none of.
  std::expected<void, std::string> append_to(std::vector<HttpHeader>& headers) const;
  // `message` with none of the values in it.
  std::string without_secrets(std::string message) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Credential>> values_;  // Parallel to names_.
};

}  // namespace flagstone::upstream
