package dev.quern.cli.register;

import dev.quern.cli.console.UserException;
import dev.quern.files.NewFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Locale;

/// An Ed25519 signature of a report's canonical form, beside it in `REPORT.sig`. Keys are PEM files
/// as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
public final class Signature {
  private static final String ALGORITHM = "Ed25519";

  private Signature() {}

  /// Where the signature of a report lies.
  public static Path of(Path report) {
    return report.resolveSibling(report.getFileName() + ".sig");
  }

  /// A private key.
  ///
  /// @throws UserException if the file is none
  public static PrivateKey privateKey(Path pem) throws IOException {
    try {
      return KeyFactory.getInstance(ALGORITHM)
          .generatePrivate(new PKCS8EncodedKeySpec(decoded(pem, "PRIVATE KEY")));
    } catch (GeneralSecurityException e) {
      throw noKey(pem, "PRIVATE KEY", e);
    }
  }

  /// A public key.
  ///
  /// @throws UserException if the file is none
  public static PublicKey publicKey(Path pem) throws IOException {
    try {
      return KeyFactory.getInstance(ALGORITHM)
          .generatePublic(new X509EncodedKeySpec(decoded(pem, "PUBLIC KEY")));
    } catch (GeneralSecurityException e) {
      throw noKey(pem, "PUBLIC KEY", e);
    }
  }

  private static byte[] decoded(Path pem, String kind) throws IOException {
    String text = Files.readString(pem, StandardCharsets.ISO_8859_1).strip();
    String begin = "-----BEGIN " + kind + "-----";
    String end = "-----END " + kind + "-----";
    if (!text.startsWith(begin) || !text.endsWith(end)) {
      throw noKey(pem, kind, null);
    }
    String body = text.substring(begin.length(), text.length() - end.length());
    try {
      return Base64.getMimeDecoder().decode(body);
    } catch (IllegalArgumentException e) {
      throw noKey(pem, kind, e);
    }
  }

  private static UserException noKey(Path pem, String kind, Exception cause) {
    return new UserException(
        String.format(
            Locale.ROOT, "%s: expected an Ed25519 key as PEM (-----BEGIN %s-----)", pem, kind),
        cause);
  }

  /// Signs a report that was written.
  public static void write(ClaimFile report, PrivateKey key, Path file) throws IOException {
    try {
      java.security.Signature s = java.security.Signature.getInstance(ALGORITHM);
      s.initSign(key);
      s.update(report.canonical());
      String text = Base64.getEncoder().encodeToString(s.sign()) + "\n";
      NewFile.write(of(file), text.getBytes(StandardCharsets.US_ASCII));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // the key was read as one of this algorithm
    }
  }

  /// Why a report is not signed by a key; empty if it is.
  public static String problem(ClaimFile report, PublicKey key, Path file) throws IOException {
    Path of = of(file);
    if (!Files.isRegularFile(of) || Files.size(of) > 1000) {
      return String.format(Locale.ROOT, "no signature: expected it in %s", of);
    }
    try {
      byte[] bytes =
          Base64.getDecoder().decode(Files.readString(of, StandardCharsets.ISO_8859_1).strip());
      java.security.Signature s = java.security.Signature.getInstance(ALGORITHM);
      s.initVerify(key);
      s.update(report.canonical());
      return s.verify(bytes) ? "" : "the signature is not of this report and this key";
    } catch (GeneralSecurityException | IllegalArgumentException _) {
      return "the signature can't be read: expected Ed25519's, in base64";
    }
  }
}
