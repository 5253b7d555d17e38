package dev.quern.llama.quantize;

import dev.quern.data.BlockFormat;
import dev.quern.llama.error.LlamaException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A way to store a matrix, as users name it, and what it suggests for the two matrices that get
/// more bits than the others: the classifier (`output.weight`) and the embedding
/// (`token_embd.weight`).
///
/// @param name such as `int4-block`
/// @param format the block format; of `int4-block` that of the default group
/// @param classifier the classifier's scheme, where the user names none
/// @param embedding the embedding's scheme, where the user names none
/// @param fileType `general.file_type` of such a file (`enum llama_ftype` of llama.cpp), if there
///   is one
/// @since 0.1
/// @stability api
public record WeightScheme(
    String name,
    BlockFormat format,
    String classifier,
    String embedding,
    Optional<Integer> fileType) {
  /// Weights of a block of `int4-block` where the user names no other number.
  public static final int DEFAULT_GROUP = 32;

  private static final String INT4 = "int4-block";
  private static final String INT8 = "int8-channel";

  // int4-block is what Arm and Meta published for Llama 3.2; q4_0 is llama-quantize's mix.
  private static final List<WeightScheme> TABLE =
      List.of(
          new WeightScheme(INT4, BlockFormat.INT4_B32, INT8, INT8, Optional.empty()),
          new WeightScheme("q4_0", BlockFormat.Q4_0, "q6_k", "q4_0", Optional.of(2)),
          uniform("q8_0", BlockFormat.Q8_0, 7),
          new WeightScheme(INT8, BlockFormat.INT8_C, INT8, INT8, Optional.empty()),
          uniform("q6_k", BlockFormat.Q6_K, 18),
          uniform("f32", BlockFormat.F32, 0),
          uniform("f16", BlockFormat.F16, 1),
          uniform("bf16", BlockFormat.BF16, 32));

  /// All names, for messages.
  public static List<String> names() {
    return TABLE.stream().map(WeightScheme::name).toList();
  }

  /// The scheme of that name.
  ///
  /// @throws LlamaException where there is none
  public static WeightScheme of(String name) {
    return TABLE.stream()
        .filter(s -> s.name.equals(name))
        .findFirst()
        .orElseThrow(() ->
            new LlamaException(
                String.format(
                    Locale.ROOT,
                    "scheme '%s', expected one of %s",
                    name,
                    String.join(", ", names()))));
  }

  /// The block format.
  ///
  /// @param group weights of a block of `int4-block`; the other schemes have blocks of their own
  /// @throws LlamaException for another group than 32, 64, 128 or 256
  public BlockFormat format(int group) {
    if (!takesGroup()) {
      return format;
    }
    return BlockFormat.byId("INT4_B" + group)
        .orElseThrow(() ->
            new LlamaException(
                String.format(Locale.ROOT, "group=%d, expected 32, 64, 128 or 256", group)));
  }

  /// Whether the user chooses the size of a block.
  public boolean takesGroup() {
    return name.equals(INT4);
  }

  private static WeightScheme uniform(String name, BlockFormat format, int fileType) {
    return new WeightScheme(name, format, name, name, Optional.of(fileType));
  }
}
