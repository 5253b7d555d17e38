package dev.quern.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Meta's names and `params.json`, for tests.
final class MetaFolder {
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("input_layernorm", "attention_norm"),
          Map.entry("self_attn.q_proj", "attention.wq"),
          Map.entry("self_attn.k_proj", "attention.wk"),
          Map.entry("self_attn.v_proj", "attention.wv"),
          Map.entry("self_attn.o_proj", "attention.wo"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("mlp.gate_proj", "feed_forward.w1"),
          Map.entry("mlp.down_proj", "feed_forward.w2"),
          Map.entry("mlp.up_proj", "feed_forward.w3"),
          Map.entry("model.embed_tokens", "tok_embeddings"),
          Map.entry("model.norm", "norm"),
          Map.entry("lm_head", "output"));

  private MetaFolder() {}

  /// Gives the tensors of a Hugging Face folder of one file Meta's names, and the folder Meta's
  /// parameters. The data stays as it is.
  static void renameFromHuggingFace(Path folder) throws IOException {
    Path weights = folder.resolve("model.safetensors");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(weights)).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) bytes.getLong();
    ObjectMapper mapper = new ObjectMapper();
    JsonNode header = mapper.readTree(bytes.array(), 8, length);
    ObjectNode renamed = mapper.createObjectNode();
    header.properties().forEach(e -> renamed.set(name(e.getKey()), e.getValue()));
    byte[] json = mapper.writeValueAsBytes(renamed);
    ByteBuffer out =
        ByteBuffer.allocate(8 + json.length + bytes.capacity() - 8 - length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(json.length)
            .put(json)
            .put(bytes.array(), 8 + length, bytes.capacity() - 8 - length);
    Files.write(weights, out.array());
    JsonNode config = mapper.readTree(folder.resolve("config.json").toFile());
    ObjectNode params = mapper.createObjectNode();
    params.set("dim", config.get("hidden_size"));
    params.set("n_layers", config.get("num_hidden_layers"));
    params.set("n_heads", config.get("num_attention_heads"));
    params.set("n_kv_heads", config.get("num_key_value_heads"));
    params.set("norm_eps", config.get("rms_norm_eps"));
    params.set("rope_theta", config.get("rope_theta"));
    params.set("max_seq_len", config.get("max_position_embeddings"));
    params.put("vocab_size", -1).put("use_scaled_rope", false);
    mapper.writeValue(folder.resolve("params.json").toFile(), params);
    Files.delete(folder.resolve("config.json"));
  }

  private static String name(String huggingFace) {
    String name = huggingFace.replaceFirst("^model\\.layers\\.", "layers.");
    for (Map.Entry<String, String> entry : NAMES.entrySet()) {
      name = name.replace(entry.getKey() + ".weight", entry.getValue() + ".weight");
    }
    return name;
  }
}
