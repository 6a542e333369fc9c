// The credentials of an environment's `accept:` list, besides those of its sources.
//
// Owned by an environment's feed, on the keeper's loop. Files are followed as those of sources are
// (upstream/credential.h). What may fail: one cannot be read; the one that it was then counts on,
// since a file that is just being replaced must not shut anybody out, and the others are not held
// up by it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/secret.h"
#include "upstream/credential.h"
#include "upstream/source_environment.h"

namespace flagstone::sidecar {

class AcceptedCredentials {
 public:
  // Reads all of them, and follows them from then on; `on_change` is called when one is another.
  AcceptedCredentials(const std::vector<config::SecretSource>& sources,
                      const upstream::SourceEnvironment& environment,
                      const std::function<void()>& on_change);

  void append_to(std::vector<std::string>& all) const;
  // Some one was never read.
  bool awaits_some() const;
  // What is wrong with them, if that is not what was wrong the last time.
  std::vector<std::string> new_problems();
  // Looks at all files now: see Credential::look_now().
  void look_now(const std::function<void(bool found)>& done);
  void stop();

 private:
  std::vector<std::unique_ptr<upstream::Credential>> credentials_;
  std::vector<std::string> problems_;
};

}  // namespace flagstone::sidecar
