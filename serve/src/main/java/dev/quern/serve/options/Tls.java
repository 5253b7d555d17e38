package dev.quern.serve.options;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/// A certificate and its key, as PEM files.
///
/// @param certificate the server's certificate, and behind it those that sign it
/// @param key its private key in PKCS #8 (`BEGIN PRIVATE KEY`), not encrypted
/// @since 0.1
/// @stability api
public record Tls(Path certificate, Path key) {
  private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String END = "-----END PRIVATE KEY-----";
  private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

  /// Of the key store's entries.
  public static final String PASSWORD = "quern"; // of a key store that never leaves the memory

  /// A key store with both.
  ///
  /// @throws ServeException if one can't be read or is no such file
  public KeyStore keyStore() {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry("quern", readKey(), PASSWORD.toCharArray(), readChain());
      return store;
    } catch (IOException | GeneralSecurityException e) {
      throw new ServeException("tls: " + e, e);
    }
  }

  private Certificate[] readChain() throws GeneralSecurityException {
    try (InputStream in = Files.newInputStream(certificate)) {
      Certificate[] chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(in)
              .toArray(Certificate[]::new);
      if (chain.length > 0) {
        return chain;
      }
    } catch (IOException | GeneralSecurityException e) {
      throw wrong(certificate, e.toString(), "PEM certificates", e);
    }
    throw wrong(certificate, "no certificate", "PEM certificates", null);
  }

  private PrivateKey readKey() throws GeneralSecurityException {
    byte[] encoded;
    try {
      String text = Files.readString(key);
      int begin = text.indexOf(BEGIN);
      int end = text.indexOf(END);
      if (begin < 0 || end < begin) {
        throw wrong(
            key,
            "no " + BEGIN,
            "an unencrypted PKCS #8 key; convert it with: openssl pkcs8 -topk8 -nodes -in KEY",
            null);
      }
      encoded = Base64.getMimeDecoder().decode(text.substring(begin + BEGIN.length(), end));
    } catch (IOException | IllegalArgumentException e) {
      throw wrong(key, e.toString(), "a PEM file", e);
    }
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      } catch (InvalidKeySpecException _) { // a key of another algorithm
        continue;
      }
    }
    throw wrong(key, "a key of another kind", "one of " + ALGORITHMS, null);
  }

  private static ServeException wrong(Path file, String what, String expected, Throwable cause) {
    return new ServeException(
        String.format(Locale.ROOT, "tls: %s: %s, expected %s", file, what, expected), cause);
  }
}
