package dev.quern.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class RowReaderTest {
  private static final RowReader KEYED = new RowReader(1, 0, RowReader.Messages.NONE);
  private static final RowReader UNKEYED =
      new RowReader(1, RowReader.NO_KEY, RowReader.Messages.NONE);

  /// Texts are those of `run --prompts` only as long as these stay: they are SHA-256 of `42 "a"`
  /// and `42 7`, by `printf '42 "a"' | sha256sum`, the first 8 bytes without the upper 11 bits.
  @Test
  void seedsFollowFromKeysAsThoseOfRunPrompts() {
    assertEquals(4964992929738500L, KEYED.seed(RowFactory.create("a", "Tom ran."), 42));
    assertEquals(8479661039962450L, KEYED.seed(RowFactory.create(7L, "Tom ran."), 42));
    assertEquals(8479661039962450L, KEYED.seed(RowFactory.create((short) 7, "Lily ran."), 42));
    assertNotEquals(8479661039962450L, KEYED.seed(RowFactory.create("7", "Tom ran."), 42));
    assertNotEquals(4964992929738500L, KEYED.seed(RowFactory.create("a", "Tom ran."), 43));
  }

  @Test
  void withoutAKeyTheyFollowFromPrompts() {
    long seed = UNKEYED.seed(RowFactory.create("a", "Tom \"ran\".\n"), 42);
    assertEquals(seed, UNKEYED.seed(RowFactory.create("b", "Tom \"ran\".\n"), 42));
    assertNotEquals(seed, UNKEYED.seed(RowFactory.create("a", "Lily ran."), 42));
  }
}
