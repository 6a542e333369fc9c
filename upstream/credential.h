// A secret that may change while we run: followed when it stands in a file.
//
// Owned by a source, on the keeper's loop. Read once, blocking, when it is made (start and reload);
// afterwards through the FileReader. When the file goes away or becomes unreadable, the last secret
// stays in use: a rotation deletes before it writes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/secret.h"
#include "net/timer.h"
#include "upstream/clock.h"
#include "upstream/file_reader.h"

namespace flagstone::upstream {

class Credential {
 public:
  // A new secret in a file is used within this and one read.
  static constexpr milliseconds kLookEvery{5'000};

  Credential(net::Loop& loop, FileReader& files, config::SecretSource source,
             const config::Variables& variables, std::function<void()> on_change,
             milliseconds look_every = kLookEvery);
  ~Credential();
  Credential(const Credential&) = delete;
  Credential& operator=(const Credential&) = delete;

  // Empty when there is none to be had.
  const config::Secret& secret() const { return secret_; }
  // Why a secret that should be there is not; empty when all is well.
  const std::string& problem() const { return problem_; }

  // Looks now and then until stop(); `on_change` is called when secret() has changed.
  void start();
  void stop();

 private:
  void look();
  void on_read(FileResult result);
  void take(config::Secret secret);

  FileReader& files_;
  config::SecretSource source_;
  std::function<void()> on_change_;
  milliseconds look_every_;
  config::Secret secret_;
  std::string problem_;
  std::optional<FileStamp> stamp_;
  std::optional<FileReader::Ticket> ticket_;
  net::Timer timer_;
};

}  // namespace flagstone::upstream
