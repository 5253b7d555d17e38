package dev.quern.data;

import java.util.Locale;
import java.util.Objects;

/// The element format of a KV cache. An open set, as [BlockFormat] is.
///
/// @param id the format's name
/// @param elementBytes bytes of an element
/// @since 0.1
/// @stability contract
public record KvFormat(String id, int elementBytes) {
  public static final KvFormat F32 = new KvFormat("F32", Float.BYTES);
  public static final KvFormat F16 = new KvFormat("F16", Short.BYTES);

  public KvFormat {
    Objects.requireNonNull(id, "id");
    if (elementBytes < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "KV format %s: elementBytes=%d, expected >= 1", id, elementBytes));
    }
  }

  @Override
  public String toString() {
    return id;
  }
}
