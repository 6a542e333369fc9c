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
           Row{"grpc://h", "`grpc://h` names no host and port, write `grpc://HOST:PORT`"},
           Row{"grpc:h:1", "`grpc:h:1` names no host and port, write `grpc://HOST:PORT`"},
           Row{"grpcs://h:1/x",
               "`grpcs://h:1/x` names no host and port, write `grpcs://HOST:PORT`"},
           Row{"dns://8.8.8.8/h:1",
               "`dns://8.8.8.8/h:1` names no host and port, write `dns:HOST:PORT`"},
           Row{"grpc://u:canary@h:1", kPassword},
           Row{"grpc://h h:1", "the URI contains a space or control character"},
           Row{"unix:s", "`unix:s` is no absolute path, write `unix:/run/flags.sock`"},
           Row{"uds://host/s", "`uds://host/s` is no absolute path, write `uds:/run/flags.sock`"},
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

TEST(SourceUri, FindsGrpcServers) {
  struct Row {
    std::string_view uri;
    GrpcTarget target;
  };
  for (const Row& row : {
           Row{"grpc://h:8015", {.authority = "h:8015", .socket_path = {}, .tls = false}},
           Row{"grpcs://h:8015/", {.authority = "h:8015", .socket_path = {}, .tls = true}},
           Row{"dns:h:1", {.authority = "h:1", .socket_path = {}, .tls = false}},
           Row{"dns:///h:1", {.authority = "h:1", .socket_path = {}, .tls = false}},
           Row{"unix:/s", {.authority = "localhost", .socket_path = "/s", .tls = false}},
           Row{"uds:///a/s", {.authority = "localhost", .socket_path = "/a/s", .tls = false}},
       }) {
    EXPECT_EQ(source_kind(row.uri), SourceKind::kGrpc) << row.uri;
    EXPECT_EQ(grpc_target(row.uri), row.target) << row.uri;
  }
  for (const std::string_view uri : {"grpc://h", "https://h:1", "unix:s", "file:x"}) {
    EXPECT_EQ(grpc_target(uri), std::nullopt) << uri;
  }
}

TEST(SourceUri, FindsResources) {
  EXPECT_EQ(resource_name("core.openfeature.dev/ns/end-to-end"),
            (ResourceName{.name_space = "ns", .name = "end-to-end"}));
  EXPECT_EQ(resource_name("core.openfeature.dev/a.b"),
            (ResourceName{.name_space = "", .name = "a.b"}));
  for (const std::string_view uri :
       {"core.openfeature.dev/", "core.openfeature.dev//n", "core.openfeature.dev/ns/",
        "core.openfeature.dev/N/n", "core.openfeature.dev/ns/n?x", "ns/name"}) {
    EXPECT_EQ(resource_name(uri), std::nullopt) << uri;
  }
}

}  // namespace
}  // namespace flagstone::config
