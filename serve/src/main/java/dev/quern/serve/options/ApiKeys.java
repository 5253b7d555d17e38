package dev.quern.serve.options;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;

/// Keys that clients send as `Authorization: Bearer KEY`. Their SHA-256 alone is kept, and all are
/// compared in constant time.
///
/// @since 0.1
/// @stability api
public final class ApiKeys {
  private static final int SHORTEST = 16; // what is shorter can be guessed over a network

  private final List<byte[]> hashes;

  private ApiKeys(List<byte[]> hashes) {
    this.hashes = hashes;
  }

  /// @throws ServeException where there is none, or one is shorter than 16 characters
  public static ApiKeys of(List<String> keys) {
    ServeException.require("api keys", "none", !keys.isEmpty(), "at least one");
    for (int i = 0; i < keys.size(); i++) {
      ServeException.require(
          "api key " + (i + 1),
          "(" + keys.get(i).length() + " characters)",
          keys.get(i).length() >= SHORTEST && keys.get(i).matches("[!-~]+"),
          "at least 16 visible ASCII characters; make one with: openssl rand -hex 32");
    }
    return new ApiKeys(keys.stream().map(ApiKeys::hash).toList());
  }

  /// The keys of a file: one a line, without empty lines and those that begin with `#`.
  ///
  /// @throws ServeException if it can't be read, or holds none
  public static ApiKeys read(Path file) {
    try {
      return of(
          Files.readAllLines(file).stream()
              .map(String::strip)
              .filter(line -> !line.isEmpty() && !line.startsWith("#"))
              .toList());
    } catch (CharacterCodingException e) {
      throw new ServeException(
          String.format(Locale.ROOT, "api keys: %s: not UTF-8, expected a key a line", file), e);
    } catch (IOException e) {
      throw new ServeException(
          String.format(
              Locale.ROOT, "api keys: %s: can't be read: %s, expected a key a line", file, e),
          e);
    }
  }

  /// Whether it is one of them. All are looked at, whichever it is.
  public boolean accepts(String key) {
    byte[] hash = hash(key);
    boolean found = false;
    for (byte[] known : hashes) {
      found |= MessageDigest.isEqual(known, hash);
    }
    return found;
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
