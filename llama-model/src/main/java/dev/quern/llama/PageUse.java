package dev.quern.llama;

import dev.quern.llama.machine.HugePages;
import java.util.Locale;
import java.util.Optional;

/// Whether packed weights and KV caches lie in huge pages (of 2 MiB; Linux only).
///
/// @param askedBytes that are in use and huge pages were asked for
/// @param givenBytes of these, what the system gave huge pages for; it gives none where free memory
///   is in small pieces, nor for an end that is less than one
/// @param refusal why none are asked for, in a few words; empty if they are
/// @since 0.1
/// @stability api
public record PageUse(long askedBytes, long givenBytes, Optional<String> refusal) {
  static PageUse of(HugePages pages) {
    long asked = pages.askedBytes();
    return new PageUse(
        asked, asked == 0 ? 0 : Math.min(asked, pages.givenBytes()), pages.refusal());
  }

  /// All of it in a few words.
  public String text() {
    if (askedBytes > 0 && givenBytes > 0) {
      return String.format(
          Locale.ROOT, "huge pages %.1f of %.1f MiB", givenBytes / 0x1p20, askedBytes / 0x1p20);
    }
    return "no huge pages: "
        + refusal.orElse(askedBytes > 0 ? "the system gave none" : "nothing is large enough");
  }
}
