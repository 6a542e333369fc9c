// flagd's sources: a document of flag definitions in a file, behind HTTP(S), or on a SyncFlags
// stream.
//
// Where and how to ask; the bytes are cut into records by evaluation/dialects/flagd/wire.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "upstream/source_environment.h"

namespace flagstone::upstream {

// `file:PATH` is watched; `http:`, `https:` and `http+unix://%2Frun%2Fflags.sock/path` are polled;
// what flagd_sync_place.h lists is a stream. The error names a URI of another form.
std::expected<std::unique_ptr<Source>, std::string> make_flagd_source(
    const config::Source& options, const SourceEnvironment& environment, SourceListener& listener);

}  // namespace flagstone::upstream
