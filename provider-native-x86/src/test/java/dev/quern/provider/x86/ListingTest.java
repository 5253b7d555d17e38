package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.GnuAssembled;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.spi.Offer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Listings: what is written, and that it is what runs.
class ListingTest {
  @TempDir private Path folder;
  @TempDir private Path other;

  private static LinearSpec spec(BlockFormat format) {
    return new LinearSpec(format, 64, 256, false, Set.of(Numerics.INT8_SYM_32));
  }

  private Offer<LinearPacker> listed(CpuRow row, BlockFormat format) {
    return new ProvenOperators(row, table(row)).linear(spec(format));
  }

  private OperatorTable table(CpuRow row) {
    Listing listing = new Listing(folder);
    return OperatorTable.of(
        row,
        false,
        codes -> InterpretedRoutine.load(listing.write(codes)),
        codes -> InterpretedRoutine.loadWide(listing.write(codes)));
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
        names.containsAll(Set.of(name + "-rounding.s", name + "-rows-1.bin", name + "-packing.s")),
        names::toString);
    assertTrue(names.stream().allMatch(n -> n.startsWith(name)), names::toString);
    listed(CpuRow.AVX_VNNI, BlockFormat.Q6_K);
    assertEquals(names, names(), "the second time they are replaced");
  }

  /// Of every operator, by the name of its variant.
  @TestFactory
  Stream<DynamicTest> allCodeHasAName() {
    return CpuRow.table().stream()
        .map(row ->
            DynamicTest.dynamicTest(
                row.name(),
                () -> {
                  OperatorTable table = table(row);
                  List<Offer<?>> offers = new ArrayList<>();
                  for (BlockFormat format : List.of(BlockFormat.Q8_0, BlockFormat.F16)) {
                    for (Numerics numerics : Numerics.standard()) {
                      LinearSpec spec = new LinearSpec(format, 64, 256, false, Set.of(numerics));
                      offers.add(OperatorTable.first(table.linear(), spec));
                    }
                  }
                  offers.add(
                      OperatorTable.first(
                          table.attention(),
                          new AttentionSpec(8, 2, 64, 99, 0.125f, KvFormat.F16)));
                  offers.add(OperatorTable.first(table.rmsNorm(), RmsNormSpec.of(64, 1e-5f)));
                  for (RopePairing pairing : RopePairing.values()) {
                    offers.add(OperatorTable.first(table.rope(), new RopeSpec(8, 64, pairing)));
                  }
                  offers.add(OperatorTable.first(table.swiGlu(), SwiGluSpec.of(64)));
                  Set<String> names = names();
                  assertTrue(
                      names.stream().noneMatch(n -> n.startsWith("unnamed")), names::toString);
                  for (Offer<?> offer : offers) {
                    if (offer instanceof Offer.Accepted<?> accepted) {
                      String name =
                          accepted
                              .variants()
                              .getFirst()
                              .name()
                              .replaceAll("^f16-bf16", "bf16-bf16");
                      assertTrue(
                          names.stream().anyMatch(n -> n.startsWith(name)), name + ": " + names);
                    }
                  }
                }));
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
    new Listing(folder).write(List.of(code));
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
