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
  if (secret) {
    take(std::move(*secret));
  } else {
    problem_ = std::move(secret.error());
  }
}

Credential::~Credential() { stop(); }

void Credential::start() {
  if (source_.file.empty()) return;
  timer_.start_repeating(look_every_.count(), look_every_.count());
}

void Credential::stop() {
  timer_.stop();
  if (ticket_) files_.cancel(*std::exchange(ticket_, std::nullopt));
}

void Credential::look() {
  if (ticket_) return;  // The disk is slow; one look at a time.
  ticket_ = 0;          // A reader may answer before it returns.
  const FileReader::Ticket ticket =
      files_.read({.path = source_.file, .max_bytes = config::kMaxSecretBytes, .unless = stamp_},
                  [this](FileResult result) { on_read(std::move(result)); });
  if (ticket_) ticket_ = ticket;
}

void Credential::on_read(FileResult result) {
  ticket_.reset();
  if (!result) {
    stamp_.reset();
    if (secret_.empty()) problem_ = source_.file + ": " + result.error().message;
    return;
  }
  if (result->unchanged) return;
  stamp_ = result->stamp;
  config::Secret secret{std::string(trimmed(result->bytes))};
  // Empty: somebody is writing it just now.
  if (secret.empty() || secret == secret_) return;
  take(std::move(secret));
  on_change_();
}

void Credential::take(config::Secret secret) {
  if (!fits_in_header(secret.reveal())) {
    problem_ = "the credential has a line break or control character in it";
    return;
  }
  secret_ = std::move(secret);
  problem_.clear();
}

}  // namespace flagstone::upstream
