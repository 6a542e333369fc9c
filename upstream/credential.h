// A secret that may change while we run: followed when it stands in a file.
//
// Owned by a source, on the keeper's loop. Read once, blocking, when it is made (start and reload);
// afterwards through the FileReader. When the file goes away, is emptied or becomes unreadable, the
// last secret stays in use: a rotation deletes before it writes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/secret.h"
#include "net/timer.h"
#include "upstream/clock.h"
#include "upstream/file_reader.h"

namespace flagstone::upstream {

class Credential {
 public:
  // A new secret in a file is used within this and one read.
  static constexpr milliseconds kLookEvery{5'000};

  // What an owner may want to hear beside that the secret is another one.
  struct Notices {
    // The same secret was written again: somebody wants it tried again.
    std::function<void()> on_rewritten = [] {};
    // trouble() began.
    std::function<void()> on_trouble = [] {};
  };

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
  // Why the last look found no secret, whatever is in use meanwhile; empty when it found one.
  const std::string& trouble() const { return trouble_; }

  // REQUIRES: before start().
  void tell(Notices notices) { notices_ = std::move(notices); }
  // Looks now and then until stop(); `on_change` is called when secret() has changed.
  void start();
  void stop();
  // Has the file read now, whatever its stamp says. `done` runs when that was begun after this call
  // and is over, and says whether a secret was found; without a file at once. stop() drops it.
  using Looked = std::move_only_function<void(bool found)>;
  void look_now(Looked done);

 private:
  void look();
  void on_read(FileResult result);
  // False: there is none in it.
  bool use(FileResult result);
  void take(config::Secret secret);
  bool no_secret(std::string_view why);

  FileReader& files_;
  config::SecretSource source_;
  std::function<void()> on_change_;
  Notices notices_;
  milliseconds look_every_;
  config::Secret secret_;
  std::string problem_;
  std::string trouble_;
  bool looked_ = false;  // The file has been seen since start().
  // Of the last secret, or what was found in place of one.
  std::optional<FileStamp> stamp_;
  // The last read failed: the file may be as it was before, and has to be read all the same.
  bool read_failed_ = false;
  // Whom the next look is for, and whom the one under way.
  std::vector<Looked> asked_;
  std::vector<Looked> answered_by_look_;
  std::optional<FileReader::Ticket> ticket_;
  net::Timer timer_;
};

}  // namespace flagstone::upstream
