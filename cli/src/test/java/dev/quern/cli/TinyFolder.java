package dev.quern.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A model's folder without a vocabulary: one layer, width 32, zeros, F32, in two shards.
public final class TinyFolder {
  private static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
       "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
       "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64,
       "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
       "tie_word_embeddings": true, "torch_dtype": "float32"}
      """;

  private TinyFolder() {}

  public static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), CONFIG);
    Map<String, int[]> layer = new LinkedHashMap<>();
    String stem = "model.layers.0.";
    layer.put(stem + "input_layernorm.weight", new int[] {32});
    layer.put(stem + "self_attn.q_proj.weight", new int[] {32, 32});
    layer.put(stem + "self_attn.k_proj.weight", new int[] {16, 32});
    layer.put(stem + "self_attn.v_proj.weight", new int[] {16, 32});
    layer.put(stem + "self_attn.o_proj.weight", new int[] {32, 32});
    layer.put(stem + "post_attention_layernorm.weight", new int[] {32});
    layer.put(stem + "mlp.gate_proj.weight", new int[] {64, 32});
    layer.put(stem + "mlp.up_proj.weight", new int[] {64, 32});
    layer.put(stem + "mlp.down_proj.weight", new int[] {32, 64});
    Map<String, int[]> rest = new LinkedHashMap<>();
    rest.put("model.embed_tokens.weight", new int[] {64, 32});
    rest.put("model.norm.weight", new int[] {32});
    List<String> map = new ArrayList<>();
    shard(folder, "model-00001-of-00002.safetensors", layer, map);
    shard(folder, "model-00002-of-00002.safetensors", rest, map);
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {" + String.join(",", map) + "}}");
    return folder;
  }

  private static void shard(Path folder, String name, Map<String, int[]> tensors, List<String> map)
      throws IOException {
    List<String> entries = new ArrayList<>();
    int offset = 0;
    for (Map.Entry<String, int[]> t : tensors.entrySet()) {
      int[] shape = t.getValue();
      int end = offset + Float.BYTES * shape[0] * (shape.length == 2 ? shape[1] : 1);
      entries.add(
          String.format(
              Locale.ROOT,
              "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
              t.getKey(),
              java.util.Arrays.toString(shape),
              offset,
              end));
      map.add(String.format(Locale.ROOT, "\"%s\":\"%s\"", t.getKey(), name));
      offset = end;
    }
    String header = "{" + String.join(",", entries) + "}";
    header += " ".repeat(Math.floorMod(-header.length(), 8));
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + header.length() + offset).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
    Files.write(folder.resolve(name), bytes.array());
  }
}
