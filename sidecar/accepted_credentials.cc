#include "sidecar/accepted_credentials.h"

#include <algorithm>

namespace flagstone::sidecar {

AcceptedCredentials::AcceptedCredentials(const std::vector<config::SecretSource>& sources,
                                         const upstream::SourceEnvironment& environment,
                                         const std::function<void()>& on_change) {
  credentials_.reserve(sources.size());
  for (const config::SecretSource& source : sources) {
    credentials_.push_back(std::make_unique<upstream::Credential>(
        environment.loop, environment.files, source, environment.variables, on_change));
    credentials_.back()->start();
  }
}

void AcceptedCredentials::append_to(std::vector<std::string>& all) const {
  for (const auto& credential : credentials_) {
    if (!credential->secret().empty()) all.push_back(credential->secret().reveal());
  }
}

bool AcceptedCredentials::awaits_some() const {
  return std::ranges::any_of(credentials_,
                             [](const auto& credential) { return credential->secret().empty(); });
}

std::vector<std::string> AcceptedCredentials::new_problems() {
  std::vector<std::string> problems;
  for (const auto& credential : credentials_) {
    const std::string& problem =
        credential->problem().empty() ? credential->trouble() : credential->problem();
    if (!problem.empty()) problems.push_back(problem);
  }
  if (problems == problems_) return {};
  problems_ = problems;
  return problems;
}

void AcceptedCredentials::look_now(const std::function<void(bool found)>& done) {
  for (const auto& credential : credentials_) credential->look_now(done);
}

void AcceptedCredentials::stop() {
  for (const auto& credential : credentials_) credential->stop();
}

}  // namespace flagstone::sidecar
