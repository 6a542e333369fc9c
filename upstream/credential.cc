#include "upstream/credential.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace flagstone::upstream {
namespace {

// As config::read_secret() does it.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool fits_in_header(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace

Credential::Credential(net::Loop& loop, FileReader& files, config::SecretSource source,
                       const config::Variables& variables, std::function<void()> on_change,
                       milliseconds look_every)
    : files_(files),
      source_(std::move(source)),
      on_change_(std::move(on_change)),
      look_every_(look_every),
      timer_(loop, [this] { look(); }) {
  if (source_.empty()) return;
  auto secret = config::read_secret(source_, variables);
  if (!secret) {
    problem_ = std::move(secret.error());
    trouble_ = problem_;
  } else if (!fits_in_header(secret->reveal())) {
    problem_ = "the credential has a line break or control character in it";
    trouble_ = problem_;
  } else {
    take(std::move(*secret));
  }
}

Credential::~Credential() { stop(); }

void Credential::start() {
  if (source_.file.empty()) return;
  timer_.start_repeating(look_every_.count(), look_every_.count());
}

void Credential::stop() {
  timer_.stop();
  asked_.clear();
  answered_by_look_.clear();
  if (ticket_) files_.cancel(*std::exchange(ticket_, std::nullopt));
}

void Credential::look_now(Looked done) {
  if (source_.file.empty()) return done(true);
  asked_.push_back(std::move(done));
  look();
}

void Credential::look() {
  if (ticket_) return;  // The disk is slow; one look at a time.
  ticket_ = 0;          // A reader may answer before it returns.
  answered_by_look_ = std::exchange(asked_, {});
  FileRequest request{.path = source_.file, .max_bytes = config::kSecretBytesMax};
  // Two writes within one tick of the clock have one stamp: who asks wants to know for certain.
  if (answered_by_look_.empty() && !read_failed_) request.unless = stamp_;
  const FileReader::Ticket ticket =
      files_.read(std::move(request), [this](FileResult result) { on_read(std::move(result)); });
  if (ticket_) ticket_ = ticket;
}

void Credential::on_read(FileResult result) {
  ticket_.reset();
  std::vector<Looked> answered = std::exchange(answered_by_look_, {});
  const bool found = use(std::move(result));
  if (!asked_.empty()) look();
  for (Looked& done : answered) done(found);
}

bool Credential::use(FileResult result) {
  read_failed_ = !result;
  if (!result) {
    // Somebody is writing it; the next look tells what.
    if (result.error().kind == FileError::Kind::kChanged) return false;
    return no_secret("cannot be read: " + result.error().message);
  }
  if (result->unchanged) return trouble_.empty();
  const bool rewritten = looked_ && stamp_ != result->stamp;
  looked_ = true;
  stamp_ = result->stamp;
  config::Secret secret{std::string(trimmed(result->bytes))};
  // It may be that somebody is writing it just now; the next look tells.
  if (secret.empty()) return no_secret("is empty");
  if (!fits_in_header(secret.reveal())) {
    return no_secret("has a line break or control character in it");
  }
  trouble_.clear();
  if (secret != secret_) {
    take(std::move(secret));
    on_change_();
  } else if (rewritten) {
    notices_.on_rewritten();
  }
  return true;
}

// Always false.
bool Credential::no_secret(std::string_view why) {
  const bool began = trouble_.empty();
  trouble_ = "credential file " + source_.file + " " + std::string(why);
  if (secret_.empty()) {
    problem_ = trouble_;
    return false;
  }
  trouble_ += "; what it held before is used until the next start";
  if (began) notices_.on_trouble();
  return false;
}

void Credential::take(config::Secret secret) {
  secret_ = std::move(secret);
  problem_.clear();
}

}  // namespace flagstone::upstream
