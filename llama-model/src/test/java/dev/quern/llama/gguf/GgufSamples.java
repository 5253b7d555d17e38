package dev.quern.llama.gguf;

import java.util.List;

/// Small sound files for mutations to begin with.
final class GgufSamples {
  private GgufSamples() {}

  static List<GgufBytes> all() {
    return List.of(oneTensor(), everyValue(), llama(24), llama(300), manyKeys(), manyTensors());
  }

  private static GgufBytes oneTensor() {
    return GgufBytes.file(1, 1)
        .entry("general.name", GgufType.STRING)
        .string("one")
        .tensor("t", 0, 0, 4, 2)
        .pad(32)
        .zeros(32);
  }

  private static GgufBytes everyValue() {
    GgufBytes out = GgufBytes.file(0, 26);
    for (GgufType type : GgufType.values()) {
      out.entry("one." + type, type);
      scalar(out, type);
      out.array("all." + type, type, 3);
      scalar(scalar(scalar(out, type), type), type);
    }
    return out;
  }

  private static GgufBytes scalar(GgufBytes out, GgufType type) {
    return switch (type) {
      case UINT8, INT8, BOOL -> out.u8(1);
      case UINT16, INT16 -> out.u16(1000);
      case UINT32, INT32 -> out.u32(100_000);
      case UINT64, INT64 -> out.u64(1L << 40);
      case FLOAT32 -> out.f32(1.5f);
      case FLOAT64 -> out.f64(2.5);
      case STRING -> out.string("caf\u00e9");
      case ARRAY ->
          out.u32(GgufType.ARRAY.ordinal())
              .u64(1)
              .u32(GgufType.UINT16.ordinal())
              .u64(2)
              .u16(1)
              .u16(2);
    };
  }

  /// The metadata and table of a llama model of one small layer.
  private static GgufBytes llama(int vocabulary) {
    GgufBytes out =
        GgufBytes.file(5, 11)
            .entry("general.architecture", GgufType.STRING)
            .string("llama")
            .entry("general.alignment", GgufType.UINT32)
            .u32(64)
            .entry("llama.block_count", GgufType.UINT32)
            .u32(1)
            .entry("llama.embedding_length", GgufType.UINT32)
            .u32(32)
            .entry("llama.attention.layer_norm_rms_epsilon", GgufType.FLOAT32)
            .f32(1e-5f)
            .entry("tokenizer.ggml.model", GgufType.STRING)
            .string("gpt2")
            .entry("tokenizer.ggml.add_bos_token", GgufType.BOOL)
            .u8(1)
            .entry("split.count", GgufType.UINT16)
            .u16(1)
            .array("tokenizer.ggml.tokens", GgufType.STRING, vocabulary);
    for (int i = 0; i < vocabulary; i++) {
      out.string("\u0120t" + i);
    }
    out.array("tokenizer.ggml.token_type", GgufType.INT32, vocabulary);
    for (int i = 0; i < vocabulary; i++) {
      out.u32(1);
    }
    out.array("tokenizer.ggml.scores", GgufType.FLOAT32, vocabulary);
    for (int i = 0; i < vocabulary; i++) {
      out.f32(-i);
    }
    return out.tensor("output_norm.weight", 0, 0, 32)
        .tensor("rope_freqs.weight", 1, 128, 32)
        .tensor("token_embd.weight", 2, 192, 32, 8)
        .tensor("blk.0.attn_q.weight", 8, 384, 32, 4)
        .tensor("blk.0.other", 23, 576, 256)
        .pad(64)
        .zeros(576 + 136);
  }

  /// The costliest entries for their size: short keys, values of one byte.
  private static GgufBytes manyKeys() {
    GgufBytes out = GgufBytes.file(0, 676);
    for (char a = 'a'; a <= 'z'; a++) {
      for (char b = 'a'; b <= 'z'; b++) {
        out.entry("" + a + b, GgufType.UINT8).u8(1);
      }
    }
    return out;
  }

  /// The costliest table for its size: short names, data of one byte.
  private static GgufBytes manyTensors() {
    GgufBytes out = GgufBytes.file(676, 1).entry("general.alignment", GgufType.UINT32).u32(1);
    int offset = 0;
    for (char a = 'a'; a <= 'z'; a++) {
      for (char b = 'a'; b <= 'z'; b++) {
        out.tensor("" + a + b, 24, offset++, 1);
      }
    }
    return out.zeros(offset);
  }
}
