package dev.quern.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Weights whose scales are a tensor of their own.
class GgufPlanesTest {
  private static final int F32 = 0;
  private static final int F16 = 1;
  private static final int Q8_0 = 8;
  private static final int I8 = 24;
  private static final int BF16 = 30;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256", "INT8_C"})
  void whatIsWrittenIsRead(String id) throws IOException {
    BlockFormat format = BlockFormat.byId(id).orElseThrow();
    byte[] data = new byte[(int) (3 * format.rowBytes(512))];
    byte[] scales = new byte[(int) format.scalePlane().bytes(3, format.blocksPerRow(512))];
    new Random(1).nextBytes(data);
    new Random(2).nextBytes(scales);
    Path file = folder.resolve("planes.gguf");
    try (GgufWriter writer = GgufWriter.create(file)) {
      writer.tensor("w", format, 512, 3).tensor("v", BlockFormat.F32, 1);
      writer.data("w", MemorySegment.ofArray(data));
      writer.data("w.scales", MemorySegment.ofArray(scales));
      writer.data("v", MemorySegment.ofArray(new byte[4]));
      writer.finish();
    }
    try (GgufFile gguf = GgufFile.open(file);
        Arena arena = Arena.ofConfined()) {
      GgufTensor tensor = gguf.tensor("w");
      assertArrayEquals(new long[] {512, 3}, tensor.dims());
      assertEquals(data.length, tensor.byteSize());
      assertEquals(id, tensor.type().toString());
      assertEquals("w.scales", gguf.scales(tensor).orElseThrow().name());
      assertTrue(gguf.scales(gguf.tensor("v")).isEmpty());
      assertEquals(
          List.of("w.scales"),
          gguf.tensors().stream().filter(gguf::isScales).map(GgufTensor::name).toList());
      assertEquals(
          List.of("w", "w.scales", "v"), gguf.tensors().stream().map(GgufTensor::name).toList());
      WeightMatrix w = gguf.weights(tensor, arena);
      assertEquals(format, w.format());
      assertEquals(3, w.outputs());
      assertEquals(512, w.inputs());
      assertArrayEquals(data, w.data().toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(scales, w.scales().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /// The bytes of the documented layout, laid out by hand.
  @Test
  void theLayoutIsTheDocumentedOne() throws IOException {
    byte[] hand =
        GgufBytes.file(2, 1)
            .entry("quern.planes.version", GgufType.UINT32)
            .u32(1)
            .tensor("w", I8, 0, 32, 1)
            .tensor("w.scales", BF16, 32, 2, 1)
            .pad(32)
            .raw(new byte[32])
            .u16(0x3f80)
            .u16(0x4000)
            .pad(32)
            .bytes();
    Path file = folder.resolve("hand.gguf");
    try (GgufWriter writer = GgufWriter.create(file)) {
      writer.tensor("w", BlockFormat.INT4_B32, 64, 1);
      writer.data("w", MemorySegment.ofArray(new byte[32]));
      writer.data("w.scales", MemorySegment.ofArray(new byte[] {(byte) 0x80, 0x3f, 0x00, 0x40}));
      writer.finish();
    }
    assertArrayEquals(hand, Files.readAllBytes(file));
  }

  @Test
  void withoutTheKeyTheyAreOrdinaryTensors() throws IOException {
    GgufBytes bytes =
        GgufBytes.file(2, 0).tensor("w", I8, 0, 32, 1).tensor("w.scales", BF16, 32, 2, 1);
    try (GgufFile gguf = open(bytes)) {
      assertEquals("I8 (ggml type id 24)", gguf.tensor("w").type().toString());
      assertFalse(gguf.isScales(gguf.tensor("w.scales")));
    }
  }

  static Stream<Arguments> damage() {
    GgufBytes noData = planes(1, 1).tensor("w.scales", BF16, 0, 2, 1);
    return Stream.of(
        Arguments.of("a newer version", planes(2, 2), "newer than this reader"),
        Arguments.of(
            "a version that is a string",
            GgufBytes.file(0, 1).entry("quern.planes.version", GgufType.STRING).string("1"),
            "expected an integer"),
        Arguments.of("scales without weights", noData, "the weights of these scales"),
        Arguments.of("weights that are F16", pair(F16, BF16, 2, 1), "expected I8"),
        Arguments.of("weights that are Q8_0", pair(Q8_0, BF16, 1, 1), "expected I8"),
        Arguments.of("scales that are F16", pair(I8, F16, 2, 1), "expected one BF16"),
        Arguments.of("scales that are I8", pair(I8, I8, 2, 1), "expected one BF16"),
        Arguments.of("scales for 16 weights", pair(I8, BF16, 4, 1), "expected one BF16"),
        Arguments.of("scales for 21 weights", pair(I8, BF16, 3, 1), "expected one BF16"),
        Arguments.of("scales for more rows", pair(I8, BF16, 2, 2), "expected one BF16"),
        Arguments.of("scales of one dimension", pair(I8, BF16, 2), "expected one BF16"),
        Arguments.of("scales of three dimensions", pair(I8, BF16, 2, 1, 1), "expected one BF16"),
        Arguments.of("F32 scales by block", pair(I8, F32, 2, 1), "expected one BF16"),
        Arguments.of("F32 scales for more rows", pair(I8, F32, 2), "expected one BF16"),
        Arguments.of(
            "weights of one dimension",
            planes(2, 1).tensor("w", I8, 0, 32).tensor("w.scales", F32, 32, 1),
            "expected I8 of two dimensions"),
        Arguments.of(
            "scales of scales",
            planes(3, 1)
                .tensor("w", I8, 0, 32, 1)
                .tensor("w.scales", I8, 32, 32, 1)
                .tensor("w.scales.scales", BF16, 64, 2, 1),
            "expected one BF16"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damage")
  void damageIsRefusedInOneLine(String what, GgufBytes bytes, String part) {
    GgufException e = assertThrows(GgufException.class, () -> open(bytes).close());
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }

  @Test
  void theWriterRefusesWhatHasNoPlanes() throws IOException {
    try (GgufWriter writer = GgufWriter.create(folder.resolve("refused.gguf"))) {
      for (long[] dims : new long[][] {{64}, {48, 2}, {64, 2, 2}}) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> writer.tensor("w", BlockFormat.INT4_B64, dims));
        assertTrue(e.getMessage().contains("expected two dimensions"), e.getMessage());
      }
    }
  }

  /// The head of a file with that many tensors, and the key.
  private static GgufBytes planes(int tensors, long version) {
    return GgufBytes.file(version == 1 ? tensors : 0, 1)
        .entry("quern.planes.version", GgufType.UINT32)
        .u32(version);
  }

  private static GgufBytes pair(int type, int scalesType, long... scales) {
    return planes(2, 1).tensor("w", type, 0, 32, 1).tensor("w.scales", scalesType, 64, scales);
  }

  private GgufFile open(GgufBytes bytes) throws IOException {
    Path file = folder.resolve("damaged.gguf");
    Files.write(file, bytes.pad(32).zeros(256).bytes());
    return GgufFile.open(file);
  }
}
