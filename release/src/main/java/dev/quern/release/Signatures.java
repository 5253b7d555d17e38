package dev.quern.release;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Verifies detached signatures by GnuPG, which is not what made them (Bouncy Castle, in
/// JReleaser). Only one key is known.
final class Signatures implements AutoCloseable {
  private final Scratch home;

  private Signatures(Scratch home) {
    this.home = home;
  }

  static Signatures by(Path key) throws IOException {
    Signatures signatures = new Signatures(new Scratch());
    Ended imported = signatures.gpg("--import", key.toString());
    if (imported.code() != 0) {
      signatures.close();
      throw new IOException(key + ": expected an armored public key; gpg: " + imported.out());
    }
    return signatures;
  }

  /// Why a signature is none of this file by the key; empty if it is.
  Optional<String> fault(Path file, Path signature) throws IOException {
    Ended verified = gpg("--status-fd", "1", "--verify", signature.toString(), file.toString());
    boolean good =
        verified.code() == 0
            && verified.out().lines().anyMatch(l -> l.startsWith("[GNUPG:] VALIDSIG "));
    return good
        ? Optional.empty()
        : Optional.of("its signature is not one of it by the release's key: " + verified.why());
  }

  private Ended gpg(String... arguments) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "gpg",
                "--homedir",
                home.folder().toString(),
                "--batch",
                "--no-autostart",
                "--trust-model",
                "always"));
    words.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      return new Ended(process.waitFor(), out);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() throws IOException {
    home.close();
  }

  private record Ended(int code, String out) {
    /// gpg's last words to people.
    String why() {
      return out.lines()
          .filter(l -> l.startsWith("gpg: "))
          .reduce((a, b) -> b)
          .map(l -> l.substring("gpg: ".length()))
          .orElse("gpg ends with code " + code);
    }
  }
}
