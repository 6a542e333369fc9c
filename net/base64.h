// Base64: the standard alphabet, padded, as gRPC-Web's text form uses it; and as URLs carry it.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::net {

// Turns what `text` holds from `begin` on into its base64, in place.
void encode_base64_from(std::size_t begin, std::string& text);

// Appends what `text` stands for. Several padded pieces may follow each other, since a sender may
// encode as it goes. False for anything else (and `out` is then unspecified).
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

// Of both alphabets, padded or not, in one piece. nullopt: it is none.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace flagstone::net
