// Where a secret comes from, and a text that no print shows.
//
// Pure values. A secret is read when it is needed (files rotate) and by the one who needs it;
// `read_secret` does that and may fail.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace flagstone::config {

// A credential file holds one line. What is longer is some other file, written here by mistake.
inline constexpr std::size_t kSecretBytesMax = 64 * 1024;

// A secret's text. Its stream output says "(secret)", so that no log, test failure or status page
// can show it; reveal() is the only way to the text and easy to search for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};
std::ostream& operator<<(std::ostream& out, const Secret& secret);

// "…5555": enough to tell two secrets apart, too little to be of use. Empty where the secret is so
// short that it would be.
std::string end_of(const Secret& secret);

// At most one of the three is set; validate() reports two.
struct SecretSource {
  std::string file;      // A path; read again when it changes.
  std::string variable;  // Name of an environment variable.
  // Written in the configuration itself: flagd's `authHeader` and `bearerToken`, plain headers.
  Secret text;

  bool empty() const { return file.empty() && variable.empty() && text.empty(); }
  bool operator==(const SecretSource&) const = default;
};

// Answers what an environment variable holds, nothing when it is not set.
using Variables = std::function<std::optional<std::string>(std::string_view)>;

// The process's own environment.
std::optional<std::string> process_variable(std::string_view name);

// The secret now, without the spaces and line ends around it. The error says what is missing and
// never contains the secret. Reads a file: not for a serving thread.
std::expected<Secret, std::string> read_secret(const SecretSource& source,
                                               const Variables& variables);

}  // namespace flagstone::config
