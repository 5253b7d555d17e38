package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Optional;

/// Llama 3's format (Meta's `ChatFormat`): `<|begin_of_text|>`, then for each message
/// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>`.
final class Llama3Chat implements ChatTemplate {
  static final List<String> MARKERS =
      List.of("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

  private final Tokenizer tokenizer;
  private final int[] markers; // [4], in the order of MARKERS

  Llama3Chat(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    markers = MARKERS.stream().mapToInt(text -> tokenizer.id(text).orElseThrow()).toArray();
  }

  static boolean fits(Tokenizer tokenizer) {
    return MARKERS.stream().allMatch(text -> tokenizer.id(text).isPresent());
  }

  @Override
  public String name() {
    return "llama3";
  }

  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    IntBuffer out = new IntBuffer();
    out.add(markers[0]);
    system.ifPresent(text -> message("system", text, out));
    message("user", user, out);
    header("assistant", out);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    IntBuffer out = new IntBuffer();
    out.add(markers[3]);
    message("user", user, out);
    header("assistant", out);
    return out.toArray();
  }

  private void message(String role, String content, IntBuffer out) {
    header(role, out);
    out.addAll(tokenizer.encode(content.strip(), false));
    out.add(markers[3]);
  }

  private void header(String role, IntBuffer out) {
    out.add(markers[1]);
    out.addAll(tokenizer.encode(role, false));
    out.add(markers[2]);
    out.addAll(tokenizer.encode("\n\n", false));
  }
}
