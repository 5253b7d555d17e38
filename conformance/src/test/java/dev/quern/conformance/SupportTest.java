package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Support declarations.
class SupportTest {
  private static final Support SUPPORT =
      Support.parse(
          "test.support",
          """
          # nothing but examples
          linear Q4_0,Q8_0 exact-f32,int8-sym-32   # both

          linear INT4_B32 int8-asym-row if i8mm,dotprod where outputs%4,inputs<=64
          attention F32
          attention F16 window,soft-cap where headDim<=64
          rmsnorm
          rope half-split where headDim>=8
          linear all bf16
          linear Q5_0 exact-f32 bias
          linear Q5_1 exact-f32 all
          """);

  @Test
  void aLineCoversItsNamesOnly() {
    assertTrue(declares("linear", List.of("Q4_0", "int8-sym-32", "no-bias"), Map.of()));
    assertFalse(declares("linear", List.of("Q4_1", "int8-sym-32", "no-bias"), Map.of()));
    assertFalse(declares("linear", List.of("Q8_0", "int8-asym-row", "no-bias"), Map.of()));
    assertTrue(declares("rmsnorm", List.of("rows"), Map.of()));
    assertFalse(declares("swiglu", List.of("silu"), Map.of()));
    assertTrue(declares("linear", List.of("Q4_1", "bf16", "no-bias"), Map.of()));
    assertTrue(declares("linear", List.of("INT8_C", "bf16", "no-bias"), Map.of()));
  }

  /// A line from before there were names means what it meant then.
  @Test
  void aLineWithoutNamesIsNarrow() {
    assertFalse(declares("rmsnorm", List.of("groups"), Map.of()));
    Support named =
        Support.parse("n.support", "rmsnorm rows,groups where groups<=8\nswiglu gelu-tanh if x");
    Platform platform = new Platform("linux", "aarch64", Set.of("x"), Jit.C2, Set.of(), Map.of());
    for (long groups : new long[] {1, 8, 9}) {
      List<String> name = List.of(groups == 1 ? "rows" : "groups");
      Query query = new Query("rmsnorm", name, Map.of("groups", groups));
      assertEquals(groups <= 8, named.declares(query, platform));
    }
    assertTrue(named.declares(new Query("swiglu", List.of("gelu-tanh"), Map.of()), platform));
    assertFalse(named.declares(new Query("swiglu", List.of("silu"), Map.of()), platform));
  }

  @Test
  void conditionsAndFeaturesMustAllHold() {
    List<String> names = List.of("INT4_B32", "int8-asym-row", "no-bias");
    assertTrue(declares("linear", names, Map.of("outputs", 8L, "inputs", 64L), "i8mm", "dotprod"));
    assertFalse(declares("linear", names, Map.of("outputs", 9L, "inputs", 64L), "i8mm", "dotprod"));
    assertFalse(declares("linear", names, Map.of("outputs", 8L, "inputs", 96L), "i8mm", "dotprod"));
    assertFalse(declares("linear", names, Map.of("outputs", 8L, "inputs", 64L), "dotprod"));
    assertTrue(declares("rope", List.of("half-split"), Map.of("headDim", 8L)));
    assertFalse(declares("rope", List.of("half-split"), Map.of("headDim", 6L)));
  }

  /// The third column of linear may be left out.
  @Test
  void linearsAreWithoutABiasUnlessItIsNamed() {
    assertFalse(declares("linear", List.of("Q4_0", "int8-sym-32", "bias"), Map.of()));
    assertFalse(declares("linear", List.of("Q5_0", "exact-f32", "no-bias"), Map.of()));
    assertTrue(declares("linear", List.of("Q5_0", "exact-f32", "bias"), Map.of()));
    assertTrue(declares("linear", List.of("Q5_1", "exact-f32", "bias"), Map.of()));
    assertTrue(declares("linear", List.of("Q5_1", "exact-f32", "no-bias"), Map.of()));
  }

  /// The second column of attention may be left out.
  @Test
  void attentionIsWithoutWindowsAndCapsUnlessTheyAreNamed() {
    Map<String, Long> small = Map.of("headDim", 64L);
    assertTrue(declares("attention", List.of("F32", "full"), small));
    assertFalse(declares("attention", List.of("F32", "window"), small));
    assertTrue(declares("attention", List.of("F16", "soft-cap"), small));
    assertFalse(declares("attention", List.of("F16", "soft-cap"), Map.of("headDim", 65L)));
    assertFalse(declares("attention", List.of("F16", "full"), small));
  }

  private static boolean declares(
      String operator, List<String> names, Map<String, Long> sizes, String... features) {
    Platform platform =
        new Platform("linux", "aarch64", Set.of(features), Jit.C2, Set.of(), Map.of());
    return SUPPORT.declares(new Query(operator, names, sizes), platform);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          conv2d | unknown operator 'conv2d', expected one of [attention, linear, rmsnorm, rope, swiglu]
          attention F64 | unknown name 'F64', expected one of [F32, F16]
          attention F32 full,cap | unknown name 'cap', expected one of [full, window, soft-cap, window+soft-cap]
          rope | unknown name '', expected one of [adjacent, half-split]
          swiglu gelu | unknown name 'gelu', expected one of [silu, gelu-tanh]
          rmsnorm if | 'if', expected at most one 'if FEATURE,...' and one 'where SIZE%N,...'
          swiglu where width%0 | condition 'width%0', expected SIZE%N, SIZE<=N or SIZE>=N
          swiglu where height%4 | unknown size 'height', expected width
          """)
  void aLineThatCantBeReadSaysWhy(String line, String expected) {
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> Support.parse("x.support", "\n" + line));
    assertEquals("x.support:2: " + expected, e.getMessage());
  }
}
