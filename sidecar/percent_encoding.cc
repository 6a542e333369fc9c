#include "sidecar/percent_encoding.h"

#include <cctype>

namespace flagstone::sidecar {

void append_percent_encoded(std::string& to, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      to.push_back(c);
    } else {
      to.push_back('%');
      to.push_back(kHex[byte >> 4]);
      to.push_back(kHex[byte & 15]);
    }
  }
}

}  // namespace flagstone::sidecar
