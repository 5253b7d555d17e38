package dev.quern.llama.bytes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// SipHash-1-3 under the key 00 01 .. 0f, of the bytes 00 01 .. , as an implementation in another
/// language has it that also has the paper's vectors of SipHash-2-4.
class KeyedHashTest {
  private static final KeyedHash HASH = new KeyedHash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);

  @ParameterizedTest
  @CsvSource({
    "0, abac0158050fc4dc",
    "2, 82cb9b024dc7d44d",
    "4, cf75576088d38328",
    "6, c50d2b50c59f22a7",
    "8, 369095118d299a8e",
    "10, 79de85ee92ff097f",
    "16, cc4fdd1a7d908b66"
  })
  void equalsTheReference(int bytes, String hex) {
    char[] text = new char[bytes / 2 + 2];
    for (int i = 0; i < text.length; i++) {
      text[i] = (char) (2 * (i - 1) | (2 * (i - 1) + 1) << 8); // from the second on
    }
    assertEquals(Long.parseUnsignedLong(hex, 16), HASH.of(text, 1, 1 + bytes / 2));
  }

  @Test
  void ofANumberAsOfItsBytes() {
    assertEquals(0x369095118d299a8eL, HASH.of(0x0706050403020100L));
  }

  @Test
  void theProcessHasAKey() {
    assertNotEquals(new KeyedHash(0, 0).of(1), KeyedHash.OF_PROCESS.of(1));
  }
}
