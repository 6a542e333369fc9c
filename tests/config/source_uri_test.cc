#include "config/source_uri.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

TEST(SourceUri, FindsFiles) {
  struct Row {
    std::string_view uri, folder, path;
  };
  for (const Row& row : {
           Row{"file:flags.json", "", "flags.json"},
           Row{"file:flags.json", "conf", "conf/flags.json"},
           Row{"file:./a/../flags.json", "conf", "conf/flags.json"},
           Row{"file:../flags.json", "conf", "flags.json"},
           Row{"file:/etc/flags.json", "conf", "/etc/flags.json"},
           Row{"file:///etc/flags.json", "conf", "/etc/flags.json"},
           Row{"FILE:flags.json", "", "flags.json"},
           Row{"file://host/flags.json", "", ""},
           Row{"file:", "", ""},
           Row{"https://x/flags.json", "conf", ""},
           Row{"flags.json", "conf", ""},
       }) {
    EXPECT_EQ(source_path(row.uri, row.folder), row.path) << row.uri << " in " << row.folder;
  }
}

TEST(SourceUri, SaysWhatIsWrong) {
  struct Row {
    std::string_view uri;
    std::string problem;
  };
  const std::string kKnown =
      ", known are `file:`, `http:`, `https:`, `http+unix:`, `grpc:`, `grpcs:`, `unix:` and "
      "`core.openfeature.dev/`";
  const std::string kBlob =
      "` is not read, write the object's `https:` address: one that is public or pre-signed, or "
      "with `credential_file`";
  const std::string kPassword =
      "the URI contains a user or password, put the secret into a file and name it with "
      "`credential_file`";
  for (const Row& row : {
           Row{"file:flags.json", ""},
           Row{"http://127.0.0.1:8080/flags", ""},
           Row{"HTTPS://flags.example.com", ""},
           Row{"https://h/path?x=a@b", ""},
           Row{"flags.json", "`flags.json` has no scheme, write `file:flags.json` for a file"},
           Row{"conf.d/flags.json",
               "`conf.d/flags.json` has no scheme, write `file:conf.d/flags.json` for a file"},
           Row{"a.example/flags.json",
               "`a.example/flags.json` has no scheme, write `https://a.example/flags.json`, or "
               "`file:a.example/flags.json` for a file"},
           Row{"./flags.json",
               "`./flags.json` has no scheme, write `file:./flags.json` for a file"},
           Row{"sdk.launchdarkly.com",
               "`sdk.launchdarkly.com` has no scheme, write `https://sdk.launchdarkly.com`"},
           Row{"relay:8030/x",
               "`relay:8030/x` has no scheme, write `https://relay:8030/x`, `http://relay:8030/x` "
               "or, for gRPC, `grpc://relay:8030/x`"},
           Row{"http://h:65535/x", ""},
           Row{"http://[::1]:80", ""},
           Row{"http://[::1]", ""},
           Row{"http://h:/x", ""},
           Row{"http://h:65536/x", "`65536` is not a port, they go from 1 to 65535"},
           Row{"https://[::1]:292010", "`292010` is not a port, they go from 1 to 65535"},
           Row{"https://h:0", "`0` is not a port, they go from 1 to 65535"},
           Row{"https://h:80a", "`80a` is not a port, they go from 1 to 65535"},
           Row{"file:", "`file:` needs a path, like `file:/etc/flags.json`"},
           Row{"file://etc/x",
               "`file://etc/x` names a host, write `file:/path` or `file:relative/path`"},
           Row{"https:flags", "`https:flags` has no host, write `https://HOST/PATH`"},
           Row{"https:///flags", "`https:///flags` has no host, write `https://HOST/PATH`"},
           Row{"http://:80/", "`http://:80/` has no host, write `http://HOST/PATH`"},
           Row{"https://user:canary@h/x", kPassword},
           Row{"https://canary@h", kPassword},
           Row{"canary@h/x", "the URI has no scheme" + kKnown},
           Row{"https://h/a b",
               "the URI contains a space or control character, write it percent-encoded"},
           Row{"ftp://h", "`ftp:` is not a source that can be read" + kKnown},
           Row{"grpc://h:8015", ""},
           Row{"grpcs://[::1]:8015/", ""},
           Row{"dns:h:8015", ""},
           Row{"dns:///h:8015", ""},
           Row{"unix:/run/s", ""},
           Row{"unix:///run/s", ""},
           Row{"uds:///run/s", ""},
           Row{"grpc://h", ""},
           Row{"grpcs://[::1]", ""},
           Row{"dns:h", ""},
           Row{"unix:relative/s", ""},
           Row{"grpc+unix://%2Frun%2Fs", ""},
           Row{"grpc+unix://run",
               "`grpc+unix://run` names no socket, write `grpc+unix://%2Frun%2Fflags.sock`"},
           Row{"grpc://", "`grpc://` names no host and port, write `grpc://HOST:PORT`"},
           Row{"grpc://h:x", "`grpc://h:x` names no host and port, write `grpc://HOST:PORT`"},
           Row{"grpc:h:1", "`grpc:h:1` names no host and port, write `grpc://HOST:PORT`"},
           Row{"grpcs://h:1/x",
               "`grpcs://h:1/x` names no host and port, write `grpcs://HOST:PORT`"},
           Row{"dns://8.8.8.8/h:1",
               "`dns://8.8.8.8/h:1` names no host and port, write `dns:HOST:PORT`"},
           Row{"grpc://u:canary@h:1", kPassword},
           Row{"grpc://h h:1", "the URI contains a space or control character"},
           Row{"unix:", "`unix:` names no socket, write `unix:/run/flags.sock`"},
           Row{"uds://host/s", "`uds://host/s` names no socket, write `uds:/run/flags.sock`"},
           Row{"core.openfeature.dev/N/n",
               "`core.openfeature.dev/N/n` names no FeatureFlag resource, write "
               "`core.openfeature.dev/NAMESPACE/NAME`"},
           Row{"core.openfeature.dev/ns/name", ""},
           Row{"core.openfeature.dev/name", ""},
           Row{"core.openfeature.dev/ns/name/x",
               "`core.openfeature.dev/ns/name/x` names no FeatureFlag resource, write "
               "`core.openfeature.dev/NAMESPACE/NAME`"},
           Row{"core.openfeature.dev/",
               "`core.openfeature.dev/` names no FeatureFlag resource, write "
               "`core.openfeature.dev/NAMESPACE/NAME`"},
           Row{"s3://b/o", "`s3:" + kBlob},
           Row{"gs://b/o", "`gs:" + kBlob},
           Row{"azblob://b/o", "`azblob:" + kBlob},
           Row{"xds:///h", "`xds:` is not read, write `grpc://HOST:PORT` or `grpcs://HOST:PORT`"},
           Row{"envoy://h/x",
               "`envoy:` is not read, write `grpc://HOST:PORT` or `grpcs://HOST:PORT`"},
           Row{"http+unix://%2Frun%2Fflags.sock/flags", ""},
           Row{"http+unix://run/flags.sock",
               "`http+unix://run/flags.sock` names no socket, write "
               "`http+unix://%2Frun%2Fflags.sock/PATH`"},
       }) {
    EXPECT_EQ(uri_problem(row.uri).value_or(""), row.problem) << row.uri;
  }
}

TEST(SourceUri, KnowsTheKinds) {
  for (const auto& [uri, kind] :
       {std::pair("file:x", SourceKind::kFile), std::pair("HTTPS://h", SourceKind::kHttp),
        std::pair("http+unix://%2Fs", SourceKind::kHttp), std::pair("grpc://h", SourceKind::kGrpc),
        std::pair("grpcs://h", SourceKind::kGrpc), std::pair("dns:h", SourceKind::kGrpc),
        std::pair("unix:/s", SourceKind::kGrpc), std::pair("uds:/s", SourceKind::kGrpc),
        std::pair("core.openfeature.dev/n", SourceKind::kKubernetes),
        std::pair("ns/name", SourceKind::kUnknown), std::pair("xds:h", SourceKind::kUnknown)}) {
    EXPECT_EQ(source_kind(uri), kind) << uri;
  }
}

}  // namespace
}  // namespace flagstone::config
