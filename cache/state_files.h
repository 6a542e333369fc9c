// The names of the state's files and folders, and reading one source's files back.
//
// Writer's thread; what reading finds wrong is an error that says whether the bytes are damaged or
// the disk would not give them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cache/file_system.h"
#include "cache/layer_image.h"
#include "cache/state_encoding.h"

namespace flagstone::cache {

struct SourceIdentity;

// SHA-256 of dialect, options, URI and selector.
std::string identity_hash(const SourceIdentity& source);
std::uint64_t short_identity(std::string_view identity_hash);
std::string credential_hash(std::string_view salt, std::string_view credential);

// A folder's name for any text: letters, digits, `-`, `_` and inner dots stay, the rest becomes
// %XX; long names end in their hash.
std::string safe_name(std::string_view text);
std::string source_folder(const SourceIdentity& source);  // "<environment>/<index>-<hash>"

// "12.base", "12.segments", "12.manifest".
std::string generation_file(std::uint64_t generation, std::string_view suffix);
// The generation of such a name; nullopt for every other name.
std::optional<std::uint64_t> generation_of(std::string_view name, std::string_view suffix);
bool is_set_aside(std::string_view name);  // contains ".corrupt-"

struct ReadProblem {
  bool damaged = false;  // Otherwise the disk failed: trying again may help.
  std::string file;      // "12.base"
  std::string message;
};

struct ReadState {
  RestoredLayer layer;
  // Segments that could not be read; what came before them is whole.
  std::optional<ReadProblem> segments_problem;
};

// The records of one generation, as its manifest describes it.
std::expected<ReadState, ReadProblem> read_generation(FileSystem& files, const std::string& folder,
                                                      const Manifest& manifest,
                                                      std::uint64_t max_bytes);

}  // namespace flagstone::cache
