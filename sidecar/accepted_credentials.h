// The credentials of an environment's `accept:` list, besides those of its sources.
//
// A value of an environment's feed, on the keeper's thread; read() reads files. What may fail: one
// cannot be read; the one that it was then counts on, since a file that is just being replaced must
// not shut anybody out, and the others are not held up by it.
#pragma once

#include <string>
#include <vector>

#include "config/secret.h"

namespace flagstone::sidecar {

class AcceptedCredentials {
 public:
  // Reads all of them again. What is wrong, if that is not what was wrong the last time. `sources`
  // are the same at every call.
  std::vector<std::string> read(const std::vector<config::SecretSource>& sources,
                                const config::Variables& variables);
  void append_to(std::vector<std::string>& all) const;
  // Some one was never read.
  bool awaits_some() const;

 private:
  std::vector<std::string> known_;  // By source; empty: never read.
  std::vector<std::string> problems_;
};

}  // namespace flagstone::sidecar
