package dev.quern.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/// What is written is what is read, and a copy of it is the same file.
class GgufRoundTripTest {
  private static final List<BlockFormat> FORMATS =
      BlockFormat.standard().stream().filter(f -> !f.id().startsWith("INT")).toList();

  private Path folder;

  @BeforeProperty
  void createFolder() throws IOException {
    folder = Files.createTempDirectory("gguf");
  }

  @AfterProperty
  void deleteFolder() throws IOException {
    Files.deleteIfExists(folder.resolve("a.gguf"));
    Files.deleteIfExists(folder.resolve("b.gguf"));
    Files.delete(folder);
  }

  /// A tensor of `rows` rows of `blocks` blocks.
  record Shape(BlockFormat format, int blocks, int rows) {
    long[] dims() {
      return new long[] {(long) blocks * format.blockElements(), rows};
    }

    byte[] data(long seed) {
      byte[] data = new byte[rows * blocks * format.blockBytes()];
      new Random(seed).nextBytes(data);
      return data;
    }
  }

  @Property(tries = 200)
  void whatIsWrittenIsRead(
      @ForAll("entries") Map<String, Object> entries,
      @ForAll("shapes") List<Shape> shapes,
      @ForAll("alignments") int alignment,
      @ForAll long seed)
      throws IOException {
    Path file = folder.resolve("a.gguf");
    try (GgufWriter writer = GgufWriter.create(file, alignment)) {
      entries.forEach((key, value) -> write(writer, key, value));
      declare(writer, shapes);
      for (int i = 0; i < shapes.size(); i++) {
        byte[] data = shapes.get(i).data(seed + i);
        int cut = data.length / 3;
        writer.data("t" + i, MemorySegment.ofArray(data).asSlice(0, cut));
        writer.data("t" + i, MemorySegment.ofArray(data).asSlice(cut));
      }
      writer.finish();
    }

    try (GgufFile model = GgufFile.open(file);
        Arena arena = Arena.ofConfined()) {
      assertEquals(entries.size() + 1, model.metadata().keys().size());
      entries.forEach((key, value) -> assertRead(model.metadata(), key, value));
      assertEquals(shapes.size(), model.tensors().size());
      for (int i = 0; i < shapes.size(); i++) {
        GgufTensor tensor = model.tensors().get(i);
        assertEquals("t" + i, tensor.name());
        assertEquals(0, tensor.offset() % alignment);
        assertEquals(shapes.get(i).format(), model.weights(tensor, arena).format());
        assertArrayEquals(shapes.get(i).dims(), tensor.dims());
        assertArrayEquals(
            shapes.get(i).data(seed + i), model.map(tensor, arena).toArray(ValueLayout.JAVA_BYTE));
      }
      assertCopyIsTheSame(model, shapes, alignment, arena);
    }
  }

  private void assertCopyIsTheSame(GgufFile model, List<Shape> shapes, int alignment, Arena arena)
      throws IOException {
    Path copy = folder.resolve("b.gguf");
    try (GgufWriter writer = GgufWriter.create(copy, alignment)) {
      for (String key : model.metadata().keys()) {
        if (!key.equals("general.alignment")) {
          writer.copy(model.metadata(), key);
        }
      }
      declare(writer, shapes);
      for (GgufTensor tensor : model.tensors()) {
        writer.data(tensor.name(), model.map(tensor, arena));
      }
      writer.finish();
    }
    assertEquals(-1, Files.mismatch(folder.resolve("a.gguf"), copy));
  }

  private static void declare(GgufWriter writer, List<Shape> shapes) {
    for (int i = 0; i < shapes.size(); i++) {
      writer.tensor("t" + i, shapes.get(i).format(), shapes.get(i).dims());
    }
  }

  private static void write(GgufWriter writer, String key, Object value) {
    switch (value) {
      case String s -> writer.string(key, s);
      case Boolean b -> writer.bool(key, b);
      case Long i -> writer.integer(key, GgufType.INT64, i);
      case Float f -> writer.float32(key, f);
      case Double d -> writer.float64(key, d);
      case int[] ints -> writer.ints(key, ints);
      case float[] floats -> writer.floats(key, floats);
      case String[] strings -> writer.strings(key, List.of(strings));
      default -> throw new IllegalArgumentException(value.toString());
    }
  }

  private static void assertRead(GgufMetadata metadata, String key, Object value) {
    switch (value) {
      case String s -> assertEquals(Optional.of(s), metadata.string(key));
      case Boolean b -> assertEquals(Optional.of(b), metadata.bool(key));
      case Long i -> assertEquals(OptionalLong.of(i), metadata.integer(key));
      case Float f -> assertEquals(OptionalDouble.of(f), metadata.number(key));
      case Double d -> assertEquals(OptionalDouble.of(d), metadata.number(key));
      case int[] ints -> assertArrayEquals(ints, metadata.ints(key));
      case float[] floats -> assertArrayEquals(floats, metadata.floats(key));
      case String[] strings -> assertEquals(List.of(strings), metadata.strings(key));
      default -> throw new IllegalArgumentException(value.toString());
    }
  }

  @Provide
  Arbitrary<Map<String, Object>> entries() {
    Arbitrary<String> keys =
        Arbitraries.strings()
            .withCharRange('a', 'z')
            .withChars("._")
            .ofMinLength(1)
            .ofMaxLength(40);
    // Without lone surrogates: no UTF-8 can hold them.
    Arbitrary<String> text =
        Arbitraries.strings()
            .all()
            .ofMaxLength(30)
            .filter(
                s -> s.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE));
    Arbitrary<Object> values =
        Arbitraries.oneOf(
            text.map(s -> s),
            Arbitraries.of(true, false).map(b -> b),
            Arbitraries.longs().map(i -> i),
            Arbitraries.floats().map(f -> f),
            Arbitraries.doubles().map(d -> d),
            Arbitraries.integers().array(int[].class).ofMaxSize(20).map(a -> a),
            Arbitraries.floats().array(float[].class).ofMaxSize(20).map(a -> a),
            text.array(String[].class).ofMaxSize(20).map(a -> a));
    return Arbitraries.maps(keys, values).ofMaxSize(12);
  }

  @Provide
  Arbitrary<List<Shape>> shapes() {
    return Combinators.combine(
            Arbitraries.of(FORMATS),
            Arbitraries.integers().between(1, 3),
            Arbitraries.integers().between(1, 5))
        .as(Shape::new)
        .list()
        .ofMaxSize(6);
  }

  @Provide
  Arbitrary<Integer> alignments() {
    return Arbitraries.integers().between(0, 12).map(bits -> 1 << bits);
  }
}
