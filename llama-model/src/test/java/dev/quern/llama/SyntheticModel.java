package dev.quern.llama;

import dev.quern.data.BlockFormat;
import dev.quern.llama.gguf.GgufType;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/// A small random model with a Llama 3 vocabulary of single bytes and special tokens, and whatever
/// a test wants to be wrong with it. 2 layers, width 32, 4 heads, 2 KV heads, hidden 48, F32.
public final class SyntheticModel {
  static final List<String> SPECIALS =
      List.of(
          "<|begin_of_text|>",
          "<|end_of_text|>",
          "<|start_header_id|>",
          "<|end_header_id|>",
          "<|eot_id|>");

  /// Ids of [#SPECIALS] begin here; below are the 256 bytes.
  static final int FIRST_SPECIAL = 256;

  private static final int VOCABULARY = FIRST_SPECIAL + SPECIALS.size() + 1;

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, long[]> tensors = new LinkedHashMap<>();
  private final Map<String, Change> changes = new LinkedHashMap<>();

  /// What becomes of a weight.
  interface Change {
    float weight(long index, float value);
  }

  public SyntheticModel() {
    metadata.put("general.architecture", "llama");
    metadata.put("llama.block_count", 2L);
    metadata.put("llama.embedding_length", 32L);
    metadata.put("llama.feed_forward_length", 48L);
    metadata.put("llama.attention.head_count", 4L);
    metadata.put("llama.attention.head_count_kv", 2L);
    metadata.put("llama.context_length", 256L);
    metadata.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    metadata.put("llama.rope.freq_base", 10_000f);
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", "llama-bpe");
    metadata.put("tokenizer.ggml.tokens", tokens());
    metadata.put("tokenizer.ggml.token_type", types());
    metadata.put("tokenizer.ggml.merges", List.of("q z"));
    metadata.put("tokenizer.ggml.bos_token_id", (long) FIRST_SPECIAL);
    metadata.put("tokenizer.ggml.eos_token_id", (long) FIRST_SPECIAL + 1);
    tensors.put("token_embd.weight", new long[] {32, VOCABULARY});
    tensors.put("output_norm.weight", new long[] {32});
    for (int l = 0; l < 2; l++) {
      String block = "blk." + l + ".";
      tensors.put(block + "attn_norm.weight", new long[] {32});
      tensors.put(block + "attn_q.weight", new long[] {32, 32});
      tensors.put(block + "attn_k.weight", new long[] {32, 16});
      tensors.put(block + "attn_v.weight", new long[] {32, 16});
      tensors.put(block + "attn_output.weight", new long[] {32, 32});
      tensors.put(block + "ffn_norm.weight", new long[] {32});
      tensors.put(block + "ffn_gate.weight", new long[] {32, 48});
      tensors.put(block + "ffn_up.weight", new long[] {32, 48});
      tensors.put(block + "ffn_down.weight", new long[] {48, 32});
    }
  }

  /// Gives it a SentencePiece vocabulary: `<unk> <s> </s>`, the 256 bytes, then these pieces, the
  /// first one merged first.
  public SyntheticModel withPieces(List<String> pieces) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < 256; b++) {
      tokens.add(String.format(Locale.ROOT, "<0x%02X>", b));
    }
    tokens.addAll(pieces);
    int[] types = new int[tokens.size()];
    float[] scores = new float[tokens.size()];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1; // unknown, control, byte, normal
      scores[id] = -id;
    }
    withTensor("token_embd.weight", 32, tokens.size());
    return with("tokenizer.ggml.model", "llama")
        .with("tokenizer.ggml.tokens", tokens)
        .with("tokenizer.ggml.token_type", types)
        .with("tokenizer.ggml.scores", scores)
        .with("tokenizer.ggml.bos_token_id", 1L)
        .with("tokenizer.ggml.eos_token_id", 2L)
        .with("tokenizer.ggml.pre", null)
        .with("tokenizer.ggml.merges", null);
  }

  /// Sets a metadata value: String, Boolean, Long, Float, Double, `int[]`, `float[]`,
  /// `List<String>`; null removes it.
  public SyntheticModel with(String key, Object value) {
    if (value == null) {
      metadata.remove(key);
    } else {
      metadata.put(key, value);
    }
    return this;
  }

  /// Gives a tensor other dimensions, or adds one; none removes it.
  public SyntheticModel withTensor(String name, long... dims) {
    if (dims.length == 0) {
      tensors.remove(name);
    } else {
      tensors.put(name, dims);
    }
    return this;
  }

  /// Replaces weights of a tensor.
  ///
  /// @param change gets a weight's index and value
  public SyntheticModel withWeights(String tensor, Change change) {
    changes.put(tensor, change);
    return this;
  }

  /// Writes the file: F32 weights from a fixed seed.
  public Path write(Path file) throws IOException {
    try (GgufWriter writer = GgufWriter.create(file);
        Arena arena = Arena.ofConfined()) {
      metadata.forEach((key, value) -> put(writer, key, value));
      tensors.forEach((name, dims) -> writer.tensor(name, BlockFormat.F32, dims));
      Random random = new Random(42);
      for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
        long count = 1;
        for (long dim : tensor.getValue()) {
          count *= dim;
        }
        MemorySegment data = arena.allocate(count * Float.BYTES, Float.BYTES);
        Change change = changes.getOrDefault(tensor.getKey(), (index, value) -> value);
        for (long i = 0; i < count; i++) {
          float value = tensor.getKey().contains("norm") ? 1 : (float) random.nextGaussian() * 0.3f;
          data.setAtIndex(ValueLayout.JAVA_FLOAT, i, change.weight(i, value));
        }
        writer.data(tensor.getKey(), data);
      }
      writer.finish();
    }
    return file;
  }

  static void put(GgufWriter writer, String key, Object value) {
    switch (value) {
      case String s -> writer.string(key, s);
      case Boolean b -> writer.bool(key, b);
      case Long n -> writer.integer(key, GgufType.INT64, n);
      case Float f -> writer.float32(key, f);
      case Double d -> writer.float64(key, d);
      case int[] array -> writer.ints(key, array);
      case float[] array -> writer.floats(key, array);
      case List<?> list -> writer.strings(key, list.stream().map(String.class::cast).toList());
      default -> throw new IllegalArgumentException(key + ": " + value.getClass());
    }
  }

  /// The 256 bytes in GPT-2's alphabet, in the order of the bytes; then the specials, then the
  /// merge.
  static List<String> tokens() {
    List<String> tokens = new ArrayList<>();
    int shifted = 0;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
      tokens.add(Character.toString(printable ? b : 256 + shifted++));
    }
    tokens.addAll(SPECIALS);
    tokens.add("qz");
    return tokens;
  }

  private static int[] types() {
    int[] types = new int[VOCABULARY];
    for (int id = 0; id < VOCABULARY; id++) {
      boolean special = id >= FIRST_SPECIAL && id < FIRST_SPECIAL + SPECIALS.size();
      types[id] = special ? 3 : 1; // control, normal
    }
    return types;
  }
}
