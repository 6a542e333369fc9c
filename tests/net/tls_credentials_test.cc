#include "net/tls_credentials.h"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/fakes/net/test_certificates.h"

namespace flagstone::net {
namespace {

const TlsFiles kFiles = {.certificate = "/c.crt", .key = "/k.key", .client_ca = {}};
const TlsFiles kFilesWithCa = {.certificate = "/c.crt", .key = "/k.key", .client_ca = "/ca.crt"};

TEST(TlsCredentials, AreMadeOfACertificateAndItsKey) {
  const TestCertificate ca("ca");
  const TestCertificate leaf("leaf", &ca, 7200);
  const auto made = TlsCredentials::make(
      {leaf.certificate_pem() + ca.certificate_pem(), leaf.key_pem(), {}}, kFiles);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_NEAR(static_cast<double>((*made)->expires_unix_seconds()),
              static_cast<double>(std::time(nullptr) + 7200), 60);
  EXPECT_TRUE(TlsCredentials::make(
      {leaf.certificate_pem(), leaf.key_pem(), ca.certificate_pem() + leaf.certificate_pem()},
      kFilesWithCa));
  // Both in one file, as some tools write them.
  const std::string both = leaf.key_pem() + leaf.certificate_pem();
  EXPECT_TRUE(TlsCredentials::make({both, both, {}}, kFiles));
}

TEST(TlsCredentials, SayWhatIsWrongAndNeverQuoteAKey) {
  const TestCertificate good("good"), other("other");
  const std::string certificate = good.certificate_pem(), key = good.key_pem();
  std::string broken = certificate;
  broken[broken.size() / 2] = '!';
  struct Row {
    TlsTexts texts;
    std::string message;
  };
  const Row rows[] = {
      {{"", key, {}}, "TLS certificate /c.crt: no certificate in PEM is in it"},
      {{key, key, {}}, "TLS certificate /c.crt: no certificate in PEM is in it"},
      {{broken, key, {}}, "TLS certificate /c.crt: no certificate in PEM is in it"},
      {{certificate + broken, key, {}}, "TLS certificate /c.crt: its chain is malformed"},
      {{certificate, "", {}}, "TLS key /k.key: no private key in PEM is in it"},
      {{certificate, certificate, {}}, "TLS key /k.key: no private key in PEM is in it"},
      {{certificate, key.substr(0, key.size() / 2), {}},
       "TLS key /k.key: no private key in PEM is in it"},
      {{certificate, other.key_pem(), {}},
       "TLS key /k.key: it does not belong to the certificate in /c.crt"},
      {{certificate, good.encrypted_key_pem(), {}},
       "TLS key /k.key: it is encrypted; write it without a passphrase: openssl pkey -in /k.key "
       "-out NEW_FILE"},
      {{certificate, key, ""}, "TLS client CA /ca.crt: no certificate in PEM is in it"},
      {{certificate, key, "nonsense"}, "TLS client CA /ca.crt: no certificate in PEM is in it"},
      {{certificate, key, certificate + broken}, "TLS client CA /ca.crt: it is malformed"},
  };
  for (const Row& row : rows) {
    const auto made = TlsCredentials::make(row.texts, kFilesWithCa);
    ASSERT_FALSE(made) << row.message;
    EXPECT_EQ(made.error().message, row.message);
  }
}

}  // namespace
}  // namespace flagstone::net
