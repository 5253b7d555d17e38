package dev.quern.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class Bf16Test {
  @Test
  void everyBf16NumberSurvivesTheWayThereAndBack() {
    for (int bits = 0; bits <= 0xFFFF; bits++) {
      float value = Bf16.toFloat((short) bits);
      short back = Bf16.fromFloat(value);
      if (Float.isNaN(value)) {
        assertTrue(Float.isNaN(Bf16.toFloat(back)));
      } else {
        assertEquals((short) bits, back);
      }
    }
  }

  @Test
  void roundsTiesToEvenAndOverflowsToInfinity() {
    assertEquals(0x3F80, Bf16.fromFloat(Float.intBitsToFloat(0x3F80_8000)));
    assertEquals(0x3F82, Bf16.fromFloat(Float.intBitsToFloat(0x3F81_8000)));
    assertEquals(0x3F81, Bf16.fromFloat(Float.intBitsToFloat(0x3F80_8001)));
    assertEquals(0x7F80, Bf16.fromFloat(Float.MAX_VALUE));
    assertTrue(Float.isNaN(Bf16.toFloat(Bf16.fromFloat(Float.intBitsToFloat(0x7F80_0001)))));
  }

  @Property
  void isTheNearest(@ForAll float value) {
    float rounded = Bf16.toFloat(Bf16.fromFloat(value));
    if (Float.isFinite(rounded)) {
      short bits = Bf16.fromFloat(value);
      double error = Math.abs((double) rounded - value);
      for (short neighbour : new short[] {(short) (bits - 1), (short) (bits + 1)}) {
        float other = Bf16.toFloat(neighbour);
        assertTrue(!Float.isFinite(other) || error <= Math.abs((double) other - value));
      }
    }
  }
}
