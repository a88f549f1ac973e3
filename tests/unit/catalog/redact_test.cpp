#include "catalog/redact.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

TEST(Redaction, KnowsSecretsByTheWordsOfTheirName) {
  for (const auto* name :
       {"PASSWORD", "DB_PASSWORD", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "POSTGRES_PASSWD", "SMTP_PASS", "DB_PWD", "API_KEY", "APIKEY",
        "apiKey", "APIKey", "SECRET_KEY", "SECRET_KEY_BASE", "AWS_SECRET_ACCESS_KEY", "KEY", "encryption-key", "TOKEN", "AUTHTOKEN",
        "GITHUB_TOKEN", "CREDENTIALS", "BASIC_AUTH", "SENTRY_DSN", "PRIVATE_KEY", "dbPassword2", "app.secret", "PASSPHRASE",
        "CLIENT_SECRETS", "Jwt_Salt"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
}

TEST(Redaction, LeavesNamesAloneThatOnlyLookSo) {
  for (const auto* name : {"MONKEY", "KEYBOARD", "KEYCLOAK_URL", "TURKEY", "TOKENIZER_PATH", "PASSENGERS", "COMPASS", "AUTHOR", "PATH",
                           "PWD", "OLDPWD", "POSTGRES_PASSWORD_FILE", "SECRET_KEY_FILE", "DB_USER", "PRIVATELY", "", "_", "123"}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(Redaction, TakesTheWholeValueOfASecret) {
  EXPECT_EQ(redact_assignment("DB_PASSWORD=a=b c"), "DB_PASSWORD=***REDACTED***");
  EXPECT_EQ(redact_assignment("MONKEY=banana"), "MONKEY=banana");
  EXPECT_EQ(redact_assignment("DB_PASSWORD_FILE=/run/secrets/db"), "DB_PASSWORD_FILE=/run/secrets/db");
  EXPECT_EQ(redact_assignment("DB_PASSWORD="), "DB_PASSWORD=");
  EXPECT_EQ(redact_assignment("NOVALUE"), "NOVALUE");
}

TEST(Redaction, TakesThePasswordOutOfAUrl) {
  EXPECT_EQ(redact_text("postgres://u:canary@db:5432/shop"), "postgres://u:***REDACTED***@db:5432/shop");
  EXPECT_EQ(redact_text("redis://:canary@cache"), "redis://:***REDACTED***@cache");
  EXPECT_EQ(redact_text("amqp://a:canary1@x,amqp://b:canary2@y"), "amqp://a:***REDACTED***@x,amqp://b:***REDACTED***@y");
  EXPECT_EQ(redact_text("postgres://u:can/ary@db/shop"), "postgres://u:***REDACTED***@db/shop");
  EXPECT_EQ(redact_text("postgres://u:can@ary@db/shop"), "postgres://u:***REDACTED***@db/shop");
  EXPECT_EQ(redact_text("https://canary@sentry.example/1"), "https://***REDACTED***@sentry.example/1");
}

TEST(Redaction, LeavesUrlsWithoutSecretsAlone) {
  for (const auto* text : {"https://example.org:8080/a@2x.png", "ssh://git@host/x", "http://localhost", "://", "a://", "mailto:a@b",
                           "postgres://db/shop?sslmode=require"}) {
    EXPECT_EQ(redact_text(text), text);
  }
}

TEST(Redaction, TakesValuesOutOfConnectionStrings) {
  EXPECT_EQ(redact_text("jdbc:postgresql://h/db?user=u&password=canary&ssl=true"),
            "jdbc:postgresql://h/db?user=u&password=***REDACTED***&ssl=true");
  EXPECT_EQ(redact_text("Server=h;User Id=u;Password=canary;"), "Server=h;User Id=u;Password=***REDACTED***;");
  EXPECT_EQ(redact_text("=="), "==");
}

}  // namespace
}  // namespace kopidocka
