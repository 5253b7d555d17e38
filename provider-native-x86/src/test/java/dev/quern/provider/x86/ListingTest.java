package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.GnuAssembled;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.spi.Offer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Listings: what is written, and that it is what runs.
class ListingTest {
  @TempDir private Path folder;
  @TempDir private Path other;

  private static LinearSpec spec(BlockFormat format) {
    return new LinearSpec(format, 64, 256, false, Set.of(Numerics.INT8_SYM_32));
  }

  private Offer<LinearPacker> listed(CpuRow row, BlockFormat format) {
    Listing listing = new Listing(folder, InterpretedRoutine::load);
    return new ProvenOperators(row, OperatorTable.of(row, listing)).linear(spec(format));
  }

  private Set<String> names() throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      Set<String> names = new TreeSet<>();
      files.forEach(f -> names.add(f.getFileName().toString()));
      return names;
    }
  }

  @Test
  void everyRoutineOfAVariantIsWritten() throws Exception {
    Offer.Accepted<?> offer =
        assertInstanceOf(Offer.Accepted.class, listed(CpuRow.AVX_VNNI, BlockFormat.Q6_K));
    String name = offer.variants().getFirst().name();
    assertEquals("q6_k-avx-vnni", name);
    Set<String> names = names();
    assertTrue(
        names.containsAll(Set.of(name + "-rounding.s", name + "-rows-1.bin")), names::toString);
    assertTrue(names.stream().allMatch(n -> n.startsWith(name)), names::toString);
    listed(CpuRow.AVX_VNNI, BlockFormat.Q6_K);
    assertEquals(names, names(), "the second time they are replaced");
  }

  /// GNU as makes the bytes of the text.
  @Test
  void textAndBytesAreTheSameCode() throws Exception {
    listed(CpuRow.AVX512_VNNI, BlockFormat.Q4_0);
    int compared = 0;
    for (String name : names()) {
      if (name.endsWith(".s")) {
        Path bytes = folder.resolve(name.replaceAll("s$", "bin"));
        assertArrayEquals(
            Files.readAllBytes(bytes),
            GnuAssembled.bytes(Files.readString(folder.resolve(name)), other),
            name);
        compared++;
      }
    }
    assertTrue(compared > 3, "few: " + compared);
  }

  @Test
  void codeWithoutANameIsWrittenToo() throws Exception {
    Assembler a = new Assembler(Set.of());
    a.end();
    Code code = a.code();
    new Listing(folder, InterpretedRoutine::load).load(List.of(code));
    assertTrue(names().stream().allMatch(n -> n.matches("unnamed-[0-9a-f]{8}\\.(s|bin)")));
    assertEquals(2, names().size());
  }

  @Test
  void aListingThatCantBeWrittenDeclines() throws Exception {
    Files.createDirectory(folder.resolve("q4_1-avx2-rounding.s"));
    String reason =
        assertInstanceOf(Offer.Declined.class, listed(CpuRow.AVX2, BlockFormat.Q4_1)).reason();
    assertTrue(reason.startsWith("its listing can't be written: "), reason);
    assertTrue(reason.contains("q4_1-avx2-rounding.s"), reason);
    assertEquals(1, reason.lines().count());
  }
}
