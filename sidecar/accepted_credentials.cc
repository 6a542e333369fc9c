#include "sidecar/accepted_credentials.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace flagstone::sidecar {

std::vector<std::string> AcceptedCredentials::read(const std::vector<config::SecretSource>& sources,
                                                   const config::Variables& variables) {
  known_.resize(sources.size());
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto secret = config::read_secret(sources[i], variables);
    if (secret) {
      known_[i] = secret->reveal();
    } else {
      problems.push_back(std::move(secret.error()));
    }
  }
  if (problems == problems_) return {};
  problems_ = problems;
  return problems;
}

void AcceptedCredentials::append_to(std::vector<std::string>& all) const {
  std::ranges::copy_if(known_, std::back_inserter(all),
                       [](const std::string& credential) { return !credential.empty(); });
}

bool AcceptedCredentials::awaits_some() const {
  return std::ranges::any_of(known_, &std::string::empty);
}

}  // namespace flagstone::sidecar
