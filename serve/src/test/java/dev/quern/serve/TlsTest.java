package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.serve.options.ServeException;
import dev.quern.serve.options.Tls;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// HTTPS, with certificates that the JDK's keytool makes.
class TlsTest {
  private static final String PASSWORD = "changeit";

  @TempDir static Path folder;

  /// @param store what clients trust
  private record Made(Tls tls, KeyStore store) {}

  private static Made make(String algorithm) throws Exception {
    Path here = Files.createTempDirectory(folder, algorithm);
    Path file = here.resolve("store.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                algorithm,
                "-dname",
                "CN=localhost",
                "-ext",
                "san=ip:127.0.0.1,dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .redirectOutput(here.resolve("keytool.log").toFile())
            .start();
    assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, keytool.exitValue(), Files.readString(here.resolve("keytool.log")));
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD.toCharArray());
    }
    Path certificate = here.resolve("crt");
    Path key = here.resolve("key");
    Files.writeString(certificate, pem("CERTIFICATE", store.getCertificate("a").getEncoded()));
    Files.writeString(
        key, pem("PRIVATE KEY", store.getKey("a", PASSWORD.toCharArray()).getEncoded()));
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("a", store.getCertificate("a"));
    return new Made(new Tls(certificate, key), trusted);
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder().encodeToString(bytes)
        + "\n-----END "
        + what
        + "-----\n";
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void aServerOfACertificateIsTrustedByIt(String algorithm) throws Exception {
    Made made = make(algorithm);
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(made.store());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    try (TestServer server = TestServer.start(http -> http.withTls(made.tls()), m -> m);
        HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
      assertEquals("https", server.server.address().getScheme());
      HttpRequest request =
          server.json("/v1/completions", "{\"prompt\":\"Once\",\"max_tokens\":3}").build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      assertEquals(200, response.statusCode(), response.body());
    }
  }

  @Test
  void filesThatAreNoneAreRefused() throws Exception {
    Tls good = make("EC").tls();
    Path absent = folder.resolve("absent");
    for (Tls wrong :
        new Tls[] {
          new Tls(absent, good.key()),
          new Tls(good.certificate(), absent),
          new Tls(good.key(), good.key()),
          new Tls(good.certificate(), good.certificate())
        }) {
      ServeException e =
          assertThrows(
              ServeException.class,
              () -> TestServer.start(http -> http.withTls(wrong), m -> m).close());
      assertTrue(e.getMessage().startsWith("tls: "), e.getMessage());
    }
  }
}
