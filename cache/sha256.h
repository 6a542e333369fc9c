// SHA-256 (FIPS 180-4), for what must not be guessed back: the salted hash of a credential, and a
// source's identity. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::cache {

// 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace flagstone::cache
