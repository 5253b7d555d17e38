package dev.quern.measure.synthetic;

import dev.quern.data.BlockFormat;
import dev.quern.llama.checkpoint.Family;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// A GGUF file of the shape of one of the families, with random weights and a generated vocabulary,
/// which llama.cpp loads too. Names, dimensions and order are those of llama.cpp's converter.
///
/// @param shape dimensions
/// @param mix formats of the matrices
/// @param seed of the weights; the same seed gives the same file
public record SyntheticModelFile(ModelShape shape, FormatMix mix, long seed) {
  // A piece of weights in memory. Every format's blocks, and the generator's 8 bytes, divide it.
  private static final int PIECE_UNIT = 8;
  private static final int PIECE_BYTES = 1 << 20;

  /// What a tensor is filled with.
  private enum Fill {
    RANDOM,
    ONES,
    ROPE_FACTORS
  }

  /// @param dims row length first
  private record Tensor(String name, BlockFormat format, Fill fill, long... dims) {
    long byteSize() {
      long rows = dims.length == 1 ? 1 : dims[1];
      return rows * format.rowBytes((int) dims[0]);
    }
  }

  /// Bytes of all weights; the file adds the vocabulary, a few megabytes.
  public long weightBytes() {
    return tensors().stream().mapToLong(Tensor::byteSize).sum();
  }

  /// Tensors of the file.
  public int tensorCount() {
    return tensors().size();
  }

  /// Writes the file, in pieces of a megabyte. An existing one is replaced when all is written.
  public void write(Path file) throws IOException {
    try (GgufWriter writer = GgufWriter.create(file)) {
      write(writer);
    }
  }

  /// [#write(Path)] to a writer that nothing was added to; finishes it.
  public void write(GgufWriter writer) throws IOException {
    writeMetadata(writer);
    writeFamily(writer);
    List<Tensor> tensors = tensors();
    tensors.forEach(t -> writer.tensor(t.name(), t.format(), t.dims()));
    SplittableRandom random = new SplittableRandom(seed);
    for (Tensor tensor : tensors) {
      writeData(writer, tensor, random.split());
    }
    writer.finish();
  }

  private void writeMetadata(GgufWriter writer) {
    GeneratedVocabulary vocabulary = GeneratedVocabulary.ofSize(shape.vocabulary());
    writer
        .string("general.architecture", shape.family().architecture())
        .string("general.type", "model")
        .string(
            "general.name", String.format(Locale.ROOT, "synthetic %s, seed %d", shape.name(), seed))
        .uint32("general.file_type", mix.fileType())
        .uint32("general.quantization_version", 2)
        .uint32(key("block_count"), shape.layers())
        .uint32(key("context_length"), shape.contextLength())
        .uint32(key("embedding_length"), shape.width())
        .uint32(key("feed_forward_length"), shape.hidden())
        .uint32(key("attention.head_count"), shape.heads())
        .uint32(key("attention.head_count_kv"), shape.kvHeads())
        .uint32(key("attention.key_length"), shape.headDim())
        .uint32(key("attention.value_length"), shape.headDim())
        .float32(key("attention.layer_norm_rms_epsilon"), 1e-5f)
        .uint32(key("rope.dimension_count"), shape.headDim())
        .float32(key("rope.freq_base"), shape.ropeBase())
        .uint32(key("vocab_size"), shape.vocabulary())
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "llama-bpe")
        .strings("tokenizer.ggml.tokens", vocabulary.tokens())
        .ints("tokenizer.ggml.token_type", vocabulary.types())
        .strings("tokenizer.ggml.merges", vocabulary.merges())
        .uint32("tokenizer.ggml.bos_token_id", vocabulary.special("<|begin_of_text|>"))
        .uint32("tokenizer.ggml.eos_token_id", vocabulary.special("<|eot_id|>"))
        .bool("tokenizer.ggml.add_bos_token", true);
  }

  private void writeFamily(GgufWriter writer) {
    shape.window().ifPresent(window -> writer.uint32(key("attention.sliding_window"), window));
    new TreeMap<>(shape.numbers()).forEach((name, value) -> writer.float32(key(name), value));
  }

  private List<Tensor> tensors() {
    int width = shape.width();
    int hidden = shape.hidden();
    List<Tensor> tensors = new ArrayList<>();
    tensors.add(
        new Tensor("token_embd.weight", mix.output(), Fill.RANDOM, width, shape.vocabulary()));
    tensors.add(norm("output_norm"));
    if (shape.isLlama()) {
      tensors.add(
          new Tensor("rope_freqs.weight", BlockFormat.F32, Fill.ROPE_FACTORS, shape.headDim() / 2));
    }
    for (int l = 0; l < shape.layers(); l++) {
      BlockFormat base = mix.base();
      BlockFormat important = mix.important(l, shape.layers());
      String block = String.format(Locale.ROOT, "blk.%d.", l);
      tensors.add(norm(block + "attn_norm"));
      tensors.add(matrix(block + "attn_q", base, width, shape.queryWidth()));
      tensors.add(matrix(block + "attn_k", base, width, shape.kvWidth()));
      tensors.add(matrix(block + "attn_v", important, width, shape.kvWidth()));
      if (shape.family().has(Family.Trait.ATTENTION_BIAS)) {
        tensors.add(bias(block + "attn_q", shape.queryWidth()));
        tensors.add(bias(block + "attn_k", shape.kvWidth()));
        tensors.add(bias(block + "attn_v", shape.kvWidth()));
      }
      if (shape.family().has(Family.Trait.HEAD_NORMS)) {
        tensors.add(norm(block + "attn_q_norm", shape.headDim()));
        tensors.add(norm(block + "attn_k_norm", shape.headDim()));
      }
      tensors.add(matrix(block + "attn_output", base, shape.queryWidth(), width));
      if (shape.family().has(Family.Trait.POST_NORMS)) {
        tensors.add(norm(block + "post_attention_norm"));
        tensors.add(norm(block + "post_ffw_norm"));
      }
      tensors.add(norm(block + "ffn_norm"));
      tensors.add(matrix(block + "ffn_gate", base, width, hidden));
      tensors.add(matrix(block + "ffn_up", base, width, hidden));
      tensors.add(matrix(block + "ffn_down", important, hidden, width));
    }
    return tensors;
  }

  private String key(String name) {
    return shape.family().architecture() + "." + name;
  }

  private Tensor norm(String name) {
    return norm(name, shape.width());
  }

  private static Tensor norm(String name, int size) {
    return new Tensor(name + ".weight", BlockFormat.F32, Fill.ONES, size);
  }

  private static Tensor bias(String name, int size) {
    return new Tensor(name + ".bias", BlockFormat.F32, Fill.RANDOM, size);
  }

  private static Tensor matrix(String name, BlockFormat format, int inputs, int outputs) {
    return new Tensor(name + ".weight", format, Fill.RANDOM, inputs, outputs);
  }

  private void writeData(GgufWriter writer, Tensor tensor, SplittableRandom random)
      throws IOException {
    if (tensor.fill() != Fill.RANDOM) {
      float[] values = shape.ropeFactors();
      if (tensor.fill() == Fill.ONES) {
        values = new float[(int) tensor.dims()[0]];
        java.util.Arrays.fill(values, 1);
      }
      ByteBuffer bytes = littleEndian(values.length * Float.BYTES);
      bytes.asFloatBuffer().put(values);
      writer.data(tensor.name(), MemorySegment.ofBuffer(bytes));
      return;
    }
    // With this deviation a normalised input gives outputs, and logits, of about unit size.
    RandomBlocks blocks = new RandomBlocks(random, 1 / Math.sqrt(tensor.dims()[0]));
    int unit = PIECE_UNIT * tensor.format().blockBytes();
    ByteBuffer piece = littleEndian(PIECE_BYTES / unit * unit);
    for (long left = tensor.byteSize(); left > 0; left -= piece.limit()) {
      piece.limit((int) Math.min(left, piece.capacity()));
      blocks.fill(tensor.format(), piece);
      writer.data(tensor.name(), MemorySegment.ofBuffer(piece));
    }
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
