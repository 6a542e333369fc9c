#include "config/validate_source.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "config/source_uri.h"
#include "config/validate.h"

namespace flagstone::config {
namespace {

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool has_control_char(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
  });
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

void validate_credential(const Source& source, const std::string& path, Report& report) {
  const SecretSource& credential = source.credential;
  if (credential.empty()) {
    return;
  }
  const std::string place =
      path + (credential.file.empty() ? ".credential_env" : ".credential_file");
  const int given = (credential.file.empty() ? 0 : 1) + (credential.variable.empty() ? 0 : 1) +
                    (credential.text.empty() ? 0 : 1);
  if (given > 1) {
    report.add(place,
               "the credential comes from several places, keep one of `credential_file` "
               "and `credential_env`");
  }
  if (source.is_file()) {
    report.add(place, "a file needs no credential, remove it");
  }
  if (has_control_char(credential.text.reveal())) {
    report.add(place, "the credential must be one line of text");
  }
  validate_variable_name(credential.variable, path + ".credential_env", report);
}

void validate_headers(const Source& source, const std::string& path, Report& report) {
  const std::string place = path + ".headers";
  if (!source.headers.empty() && source.is_file()) {
    report.add(place, "a file needs no `headers`, remove them");
  }
  for (const Header& header : source.headers) {
    if (!is_header_name(header.name)) {
      report.add(place, "`" + header.name + "` is not the name of a header");
    }
    if (has_control_char(header.value.text.reveal())) {
      report.add(place, "the header `" + header.name + "` must be one line of text");
    }
    if (equal_ignoring_case(header.name, "authorization") && !source.credential.empty()) {
      report.add(place, "the credential is sent as `Authorization` already, remove the header");
    }
    validate_variable_name(header.value.variable, place, report);
  }
}

void validate_proxy(const Source& source, const std::string& path, Report& report) {
  if (source.proxy.empty()) {
    return;
  }
  const SourceKind kind = source_kind(source.uri);
  const std::string scheme = uri_scheme(source.uri);
  const bool by_name = (kind == SourceKind::kHttp && scheme != "http+unix") ||
                       (kind == SourceKind::kGrpc && (scheme == "grpc" || scheme == "grpcs"));
  const std::string proxy_scheme = uri_scheme(source.proxy);
  if (!by_name && kind != SourceKind::kUnknown) {
    report.add(path + ".proxy", "this source goes through no proxy, remove `proxy`");
  } else if (source.proxy.contains('@')) {
    report.add(path + ".proxy",
               "the proxy's user and password belong into the variable `https_proxy` or "
               "`http_proxy`, write them there and remove `proxy`");
  } else if ((proxy_scheme != "http" && proxy_scheme != "https") || uri_problem(source.proxy)) {
    report.add(path + ".proxy",
               "`" + source.proxy + "` is no HTTP proxy, write `http://HOST:PORT`");
  }
}

// What only some kinds of sources know would be ignored in silence by the others.
void validate_transport(const Source& source, const std::string& path, Report& report) {
  const SourceKind kind = source_kind(source.uri);
  const bool has_certificate = !source.client_certificate_file.empty();
  if (has_certificate != !source.client_key_file.empty()) {
    report.add(path + (has_certificate ? ".client_certificate_file" : ".client_key_file"),
               "a certificate and its key belong together, give `client_certificate_file` and "
               "`client_key_file`");
  }
  const auto has_tls = [&] {
    const std::string scheme = uri_scheme(source.uri);
    return kind == SourceKind::kKubernetes || scheme == "https" || scheme == "grpcs";
  };
  for (const auto& [key, file] :
       {std::pair(".ca_file", &source.ca_file),
        std::pair(".client_certificate_file", &source.client_certificate_file)}) {
    if (!file->empty() && kind != SourceKind::kUnknown && !has_tls()) {
      report.add(path + key, "this source speaks no TLS, remove `" + std::string(key + 1) +
                                 "` or write `https://` or `grpcs://`");
    }
  }
  if (!source.provider_id.empty() && kind != SourceKind::kGrpc && kind != SourceKind::kUnknown) {
    report.add(path + ".provider_id", "only a gRPC source is told `provider_id`, remove it");
  }
  if (has_control_char(source.provider_id)) {
    report.add(path + ".provider_id", "`provider_id` must be one line of text");
  }
}

}  // namespace

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() &&
         std::ranges::all_of(name, [&](char c) { return is_alnum(c) || kMarks.contains(c); });
}

void Report::add(const std::string& path, std::string message) {
  const Origin origin = origins_.find(path);
  Problem problem{.where = {}, .message = std::move(message), .exit_code = kExitUsage};
  if (origin.kind != Origin::Kind::kDefault) {
    problem.where = to_string(origin);
  }
  if (origin.kind == Origin::Kind::kFile) {
    problem.exit_code = kExitContent;
  }
  problems_.push_back(std::move(problem));
}

bool is_variable_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '_'; };
  return !name.empty() && std::ranges::all_of(name, allowed) &&
         std::isdigit(static_cast<unsigned char>(name[0])) == 0;
}

void validate_variable_name(std::string_view name, const std::string& path, Report& report) {
  if (!name.empty() && !is_variable_name(name)) {
    // Not quoted: the secret itself may have been written here.
    report.add(path,
               "this is not the name of an environment variable; a secret itself belongs "
               "into a file or variable");
  }
}

void validate_source(const Source& source, const std::string& path, Report& report) {
  if (source.uri.empty()) {
    report.add(path, "the source has no URI, write `{uri: \"file:flags.json\"}`");
  } else if (const auto problem = uri_problem(source.uri)) {
    report.add(path + ".uri", *problem);
  }
  report.range(path + ".interval", source.interval, kIntervalMin, kIntervalMax);
  report.range(path + ".timeout", source.timeout, kTimeoutMin, kTimeoutMax);
  if (source.max_document_bytes) {
    report.range(path + ".max_document_bytes", *source.max_document_bytes, kDocumentBytesMin,
                 kSizeBytesMax);
  }
  if (has_control_char(source.selector)) {
    report.add(path + ".selector", "the selector must be one line of text");
  }
  validate_transport(source, path, report);
  validate_proxy(source, path, report);
  validate_credential(source, path, report);
  validate_headers(source, path, report);
}

}  // namespace flagstone::config
