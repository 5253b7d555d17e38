package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.SafetensorsBytes;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Makes of a GGUF file what Hugging Face would hold: names, row order and JSON, without the code
/// under test.
public final class HuggingFaceFolder {
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("attn_norm", "input_layernorm"),
          Map.entry("attn_q", "self_attn.q_proj"),
          Map.entry("attn_q_norm", "self_attn.q_norm"),
          Map.entry("attn_k_norm", "self_attn.k_norm"),
          Map.entry("attn_k", "self_attn.k_proj"),
          Map.entry("attn_v", "self_attn.v_proj"),
          Map.entry("attn_qkv", "self_attn.qkv_proj"),
          Map.entry("attn_output", "self_attn.o_proj"),
          Map.entry("ffn_norm", "post_attention_layernorm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"));

  /// What Gemma calls its norms.
  private static final Map<String, String> POST_NORMS =
      Map.of(
          "post_attention_norm", "post_attention_layernorm",
          "ffn_norm", "pre_feedforward_layernorm",
          "post_ffw_norm", "post_feedforward_layernorm");

  /// Factors and caps, in GGUF and in `config.json`.
  private static final Map<String, String> NUMBERS =
      Map.of(
          "embedding_scale", "embedding_multiplier",
          "residual_scale", "residual_multiplier",
          "attention.scale", "attention_multiplier",
          "logit_scale", "logits_scaling",
          "attn_logit_softcapping", "attn_logit_softcapping",
          "final_logit_softcapping", "final_logit_softcapping");

  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\.(\\w+)\\.(weight|bias)");

  private HuggingFaceFolder() {}

  /// Weights, `config.json` with Llama 3.2's rope scaling where the file has factors, and
  /// `tokenizer.json` where it has a vocabulary.
  ///
  /// @param shards 1 for a single file
  public static Path write(Path gguf, Path folder, int shards) throws IOException {
    return write(gguf, folder, shards, array -> array);
  }

  /// The same with every array changed by `change`.
  static Path write(
      Path gguf, Path folder, int shards, UnaryOperator<SafetensorsBytes.Array> change)
      throws IOException {
    Files.createDirectories(folder);
    try (GgufFile file = GgufFile.open(gguf);
        Arena arena = Arena.ofConfined()) {
      SafetensorsBytes out = new SafetensorsBytes();
      for (GgufTensor tensor : file.tensors()) {
        if (!tensor.name().startsWith("rope_")) {
          byte[] data = file.map(tensor, arena).toArray(JAVA_BYTE);
          add(out, tensor, data, file.metadata());
        }
      }
      out.arrays().replaceAll((_, array) -> change.apply(array));
      if (shards == 1) {
        out.writeSingle(folder);
      } else {
        out.writeShards(folder, shards);
      }
      ObjectMapper mapper = new ObjectMapper();
      mapper.writeValue(folder.resolve("config.json").toFile(), config(file, mapper));
      if (!file.metadata().strings("tokenizer.ggml.tokens").isEmpty()) {
        writeTokenizer(file.metadata(), folder);
      }
    }
    return folder;
  }

  /// `tokenizer.json` and `tokenizer_config.json` as a Llama 3 model has them.
  static void writeTokenizer(GgufMetadata metadata, Path folder) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    mapper.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer(metadata, mapper));
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    ObjectNode config = mapper.createObjectNode();
    for (String role : List.of("bos", "eos")) {
      long id =
          metadata
              .integer(String.format(Locale.ROOT, "tokenizer.ggml.%s_token_id", role))
              .getAsLong();
      config.put(role + "_token", tokens.get((int) id));
    }
    metadata
        .string("tokenizer.chat_template")
        .ifPresent(template -> config.put("chat_template", template));
    mapper.writeValue(folder.resolve("tokenizer_config.json").toFile(), config);
  }

  static ObjectNode tokenizer(GgufMetadata metadata, ObjectMapper mapper) throws IOException {
    ObjectNode root =
        (ObjectNode)
            mapper.readTree(
                HuggingFaceFolder.class.getResourceAsStream("llama3-tokenizer-frame.json"));
    ObjectNode model = (ObjectNode) root.get("model");
    ObjectNode vocab = model.putObject("vocab");
    ArrayNode added = root.putArray("added_tokens");
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    int[] types = metadata.ints("tokenizer.ggml.token_type");
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] == 1) {
        vocab.put(tokens.get(id), id);
      } else {
        added
            .addObject()
            .put("id", id)
            .put("content", tokens.get(id))
            .put("special", types[id] == 3);
      }
    }
    ArrayNode merges = model.putArray("merges");
    boolean pairs = false; // both spellings of a merge occur
    for (String merge : metadata.strings("tokenizer.ggml.merges")) {
      if (pairs) {
        Arrays.stream(merge.split(" ")).forEach(merges.addArray()::add);
      } else {
        merges.add(merge);
      }
      pairs = !pairs;
    }
    long bos = metadata.integer("tokenizer.ggml.bos_token_id").getAsLong();
    ObjectNode template = (ObjectNode) root.at("/post_processor/processors/1");
    String name = tokens.get((int) bos);
    template.withArray("single").insertObject(0).putObject("SpecialToken").put("id", name);
    template.putObject("special_tokens").putObject(name).putArray("ids").add(bos);
    return root;
  }

  private static ObjectNode config(GgufFile file, ObjectMapper mapper) throws IOException {
    GgufMetadata metadata = file.metadata();
    ObjectNode config = mapper.createObjectNode();
    String architecture = architecture(metadata);
    config.put("model_type", architecture).put("hidden_act", "silu");
    if (isGemma(metadata)) {
      config.put("hidden_activation", "gelu_pytorch_tanh");
      config.put("query_pre_attn_scalar", headDim(metadata));
    }
    if (architecture.equals("gemma3")) {
      config.put("model_type", "gemma3_text").put("rope_local_base_freq", 10000.0);
    }
    NUMBERS.forEach((gguf, own) ->
        metadata.number(architecture + "." + gguf).ifPresent(value -> config.put(own, value)));
    metadata
        .integer(architecture + ".attention.sliding_window")
        .ifPresent(window -> config.put("sliding_window", window));
    metadata
        .number(architecture + ".rope.scaling.factor")
        .ifPresent(factor ->
            config.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor));
    for (Map.Entry<String, String> key :
        Map.of(
                "num_hidden_layers", "block_count",
                "hidden_size", "embedding_length",
                "intermediate_size", "feed_forward_length",
                "num_attention_heads", "attention.head_count",
                "num_key_value_heads", "attention.head_count_kv",
                "max_position_embeddings", "context_length")
            .entrySet()) {
      config.put(key.getKey(), metadata.integer(architecture + "." + key.getValue()).getAsLong());
    }
    double epsilon =
        metadata.number(architecture + ".attention.layer_norm_rms_epsilon").getAsDouble();
    config.put("rms_norm_eps", Double.parseDouble(Float.toString((float) epsilon)));
    config.put("rope_theta", metadata.number(architecture + ".rope.freq_base").getAsDouble());
    metadata
        .integer(architecture + ".attention.key_length")
        .ifPresent(length -> config.put("head_dim", length));
    config.put("vocab_size", file.tensor("token_embd.weight").dims()[1]);
    config.put("tie_word_embeddings", file.findTensor("output.weight").isEmpty());
    config.put("torch_dtype", "float16").putNull("pad_token_id");
    if (file.findTensor("rope_freqs.weight").isPresent()) {
      config
          .putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", 32.0)
          .put("low_freq_factor", 1.0)
          .put("high_freq_factor", 4.0)
          .put("original_max_position_embeddings", 8192);
    }
    if (file.findTensor("rope_factors_long.weight").isPresent()) {
      addLongRope(file, config);
    }
    return config;
  }

  /// As Phi-3 has it.
  private static void addLongRope(GgufFile file, ObjectNode config) throws IOException {
    GgufMetadata metadata = file.metadata();
    String prefix = architecture(metadata) + ".rope.";
    double dim = metadata.integer(prefix + "dimension_count").getAsLong();
    config
        .put("partial_rotary_factor", dim / headDim(metadata))
        .put(
            "original_max_position_embeddings",
            metadata.integer(prefix + "scaling.original_context_length").getAsLong());
    ObjectNode scaling = config.putObject("rope_scaling").put("type", "longrope");
    scaling.put("attention_factor", metadata.number(prefix + "scaling.attn_factor").getAsDouble());
    for (String length : List.of("short", "long")) {
      ArrayNode factors = scaling.putArray(length + "_factor");
      String name = String.format(Locale.ROOT, "rope_factors_%s.weight", length);
      for (float factor : file.vector(file.tensor(name))) {
        factors.add(factor);
      }
    }
  }

  private static String architecture(GgufMetadata metadata) {
    return metadata.string("general.architecture").orElseThrow();
  }

  private static int headDim(GgufMetadata metadata) {
    String prefix = architecture(metadata);
    return (int)
        metadata
            .integer(prefix + ".attention.key_length")
            .orElseGet(() ->
                metadata.integer(prefix + ".embedding_length").getAsLong()
                    / metadata.integer(prefix + ".attention.head_count").getAsLong());
  }

  private static void add(
      SafetensorsBytes out, GgufTensor tensor, byte[] data, GgufMetadata metadata) {
    long[] dims = tensor.dims();
    long[] shape = dims.length == 1 ? dims : new long[] {dims[1], dims[0]};
    boolean rotated = // other architectures of GGUF have Hugging Face's order
        Set.of("llama", "smollm3", "granite").contains(architecture(metadata))
            && tensor.name().matches(".*attn_[qk]\\.weight");
    byte[] stored = rotated ? inHalves(data, (int) shape[0], headDim(metadata)) : data;
    if (isGemma(metadata) && dims.length == 1) { // a weight w of 1 + w
      FloatBuffer norm = ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      for (int i = 0; i < norm.limit(); i++) {
        norm.put(i, norm.get(i) - 1);
      }
    }
    Map<String, String> own =
        isGemma(metadata)
            ? POST_NORMS
            : architecture(metadata).equals("phi3")
                ? Map.of("ffn_up", "mlp.gate_up_proj")
                : Map.of();
    out.add(name(tensor.name(), own), tensor.type().name(), stored, shape);
  }

  private static boolean isGemma(GgufMetadata metadata) {
    return architecture(metadata).startsWith("gemma");
  }

  private static String name(String gguf, Map<String, String> own) {
    Matcher layer = LAYER.matcher(gguf);
    return switch (gguf) {
      case "token_embd.weight" -> "model.embed_tokens.weight";
      case "output_norm.weight" -> "model.norm.weight";
      case "output.weight" -> "lm_head.weight";
      default -> {
        if (!layer.matches()) {
          throw new IllegalArgumentException(gguf);
        }
        yield "model.layers."
            + layer.group(1)
            + "."
            + own.getOrDefault(layer.group(2), NAMES.get(layer.group(2)))
            + "."
            + layer.group(3);
      }
    };
  }

  /// The rows of each head: first the even ones, then the odd ones.
  private static byte[] inHalves(byte[] data, int rows, int headDim) {
    int rowBytes = data.length / rows;
    byte[] halves = new byte[data.length];
    int to = 0;
    for (int head = 0; head < rows; head += headDim) {
      for (int odd = 0; odd < 2; odd++) {
        for (int row = head + odd; row < head + headDim; row += 2) {
          System.arraycopy(data, row * rowBytes, halves, rowBytes * to++, rowBytes);
        }
      }
    }
    return halves;
  }
}
