package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The quantized Llama 3.2 in its two forms, from both containers, against double precision.
class QuantizedModelTest {
  /// An exact forward pass in F32 stays within this of one in double precision.
  private static final double EXACT_NMSE = 1e-9;

  /// What int8 activations cost: the size of the error that the published models live with.
  private static final double INT8_NMSE = 1e-2;

  private static final int[] TOKENS = {3, 17, 39, 0, 17, 21, 8, 30};

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "SpinQuant, true, false, false",
    "SpinQuant, true, false, true",
    "QLoRA, false, true, false",
    "QLoRA, false, true, true",
    "neither, false, false, true"
  })
  void logitsAgreeWithDoublePrecision(
      String name, boolean spinQuant, boolean adaptors, boolean torch) throws IOException {
    QuantizedModel model = new QuantizedModel(20261122, spinQuant, adaptors);
    Path path = model.write(folder, torch);
    List<float[]> exact = logits(path, "exact");
    List<float[]> any = logits(path, "any");
    ReferenceForward reference = new ReferenceForward(model);
    for (int t = 0; t < TOKENS.length; t++) {
      double[] expected = reference.next(TOKENS[t]);
      double nmse = ReferenceLogits.nmse(exact.get(t), expected);
      assertTrue(nmse < EXACT_NMSE, String.format(Locale.ROOT, "after token %d: %g", t, nmse));
      double rounded = ReferenceLogits.nmse(any.get(t), expected);
      assertTrue(
          rounded < INT8_NMSE, String.format(Locale.ROOT, "int8, after token %d: %g", t, rounded));
    }
  }

  @Test
  void bothContainersGiveTheSameBits() throws IOException {
    QuantizedModel model = new QuantizedModel(7, true, false);
    List<float[]> safetensors = logits(model.write(folder.resolve("a"), false), "exact");
    List<float[]> torch = logits(model.write(folder.resolve("b"), true), "exact");
    for (int t = 0; t < TOKENS.length; t++) {
      assertArrayEquals(safetensors.get(t), torch.get(t));
    }
  }

  @Test
  void tensorsAreListedAsKernelsGetThem() throws IOException {
    Path path = new QuantizedModel(1, false, true).write(folder, true);
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertEquals(
          Optional.of(BlockFormat.INT4_B32), checkpoint.tensor("blk.1.ffn_down.weight").format());
      assertEquals(
          Optional.of(BlockFormat.INT8_C), checkpoint.tensor("token_embd.weight").format());
      assertEquals(2f, checkpoint.adaptor("blk.0.attn_q.weight").orElseThrow().scale());
      assertEquals(128, checkpoint.config().hidden());
      assertEquals(3 + 2 * (2 + 7 * 3), checkpoint.tensors().size());
    }
    assertTrue(LlamaModel.explain(path, options("any")).text().contains("INT4_B32"));
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        damage(
            "a value that is no int4",
            m -> set(m, "layers.0.attention.wq.weight", 5, 8),
            "and 8 in row 0"),
        damage(
            "a value below", m -> set(m, "layers.1.feed_forward.w2.weight", 9, -9), "-9 in row 0"),
        damage("a zero point", m -> set(m, "output.zeros", 3, 0x3f), "zero points other than 0"),
        damage(
            "an infinite scale",
            m -> scale(m, "layers.0.attention.wk.scales", Float.POSITIVE_INFINITY),
            "Infinity in row 0"),
        damage(
            "a scale that BF16 can't hold",
            m -> scale(m, "layers.0.attention.wk.scales", Float.MAX_VALUE),
            "Infinity in row 0"),
        damage("a NaN scale", m -> scale(m, "tok_embeddings.scales", Float.NaN), "NaN in row 0"),
        damage(
            "scales of another shape",
            m -> shape(m, "layers.0.attention.wq.scales", 128),
            "[64, 64 / g]"),
        damage(
            "scales of another group",
            m -> shape(m, "output.scales", 20, 2),
            "one scale for each of 40 rows"),
        damage("integer scales", m -> type(m, "output.scales", "I32"), "expected F32, BF16 or F16"),
        damage(
            "float weights with scales",
            m -> remake(m, "output.weight", "F16", 40, 32),
            "I8 of two dimensions"),
        damage(
            "scales without weights",
            m -> m.arrays().arrays().remove("output.weight"),
            "output.scales"),
        damage(
            "a lost scale",
            m -> m.arrays().arrays().remove("layers.0.attention.wq.scales"),
            "has the type I8"),
        damage(
            "a lost norm",
            m -> m.arrays().arrays().remove("layers.1.ffn_norm.weight"),
            "'layers.1.ffn_norm.weight': missing"),
        damage(
            "a bias",
            m -> m.arrays().add("layers.1.attention.wq.bias", "F32", new byte[256], 64),
            "layers.1.attention.wq.bias"),
        damage(
            "half an adaptor",
            m ->
                m.arrays()
                    .add("layers.1.attention.wq.adaptor.B.weight", "BF16", new byte[2048], 64, 16),
            "adaptor.A.weight"));
  }

  private static Arguments damage(String name, Consumer<QuantizedModel> damage, String part) {
    return Arguments.of(name, damage, part);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void damageIsRefusedInOneLine(String name, Consumer<QuantizedModel> damage, String part)
      throws IOException {
    QuantizedModel model = new QuantizedModel(1, true, false);
    damage.accept(model);
    Path path = model.write(folder, false);
    LlamaException refused =
        assertThrows(LlamaException.class, () -> LlamaModel.load(path, options("any")).close());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
  }

  @Test
  void aModelThatDoesNotSayWhetherItIsRotatedIsRefused() throws IOException {
    Path path = new QuantizedModel(1, true, false).write(folder, false);
    Path params = path.resolve("params.json");
    Files.writeString(params, Files.readString(params).replace("spinquant", "spun"));
    LlamaException refused =
        assertThrows(LlamaException.class, () -> LlamaModel.load(path, options("any")).close());
    assertTrue(refused.getMessage().contains("quantization_args.spinquant"), refused.getMessage());
  }

  private static void set(QuantizedModel model, String name, int index, int value) {
    model.arrays().arrays().get(name).data()[index] = (byte) value;
  }

  private static void scale(QuantizedModel model, String name, float value) {
    ByteBuffer.wrap(model.arrays().arrays().get(name).data())
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(0, value);
  }

  private static void shape(QuantizedModel model, String name, long... shape) {
    var array = model.arrays().arrays().get(name);
    model.arrays().add(name, array.type(), array.data(), shape);
  }

  private static void type(QuantizedModel model, String name, String type) {
    var array = model.arrays().arrays().get(name);
    model.arrays().add(name, type, array.data(), array.shape());
  }

  private static void remake(QuantizedModel model, String name, String type, long... shape) {
    model.arrays().add(name, type, model.arrays().arrays().get(name).data(), shape);
  }

  private static List<float[]> logits(Path path, String numerics) throws IOException {
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel model = LlamaModel.load(path, options(numerics));
        LlamaSession session = model.newSession()) {
      session.evaluate(TOKENS, row -> logits.add(row.clone()));
    }
    return logits;
  }

  private static LoadOptions options(String numerics) {
    KernelOptions kernels =
        KernelOptions.fromSystem()
            .with("quern.numerics", numerics)
            .with("quern.provider", "scalar");
    return LoadOptions.defaults().withKernels(kernels).withKv(KvFormat.F32).withThreads(2);
  }
}
