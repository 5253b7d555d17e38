package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Llama 3's format (Meta's `ChatFormat`): `<|begin_of_text|>`, then for each message
/// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>`. White space around a content is
/// removed.
final class Llama3Chat implements ChatTemplate {
  static final List<String> MARKERS =
      List.of("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

  private final Tokenizer tokenizer;
  private final int[] markers; // [4], in the order of MARKERS
  private final String preamble;

  /// @param preamble what a system message begins with, which there always is if this is not empty
  Llama3Chat(Tokenizer tokenizer, String preamble) {
    if (!fits(tokenizer)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "chat: Llama 3's frame in a vocabulary that lacks one of its tokens, expected %s; name another frame with --chat-template, or use plain completion with this model",
              MARKERS));
    }
    this.tokenizer = tokenizer;
    markers = MARKERS.stream().mapToInt(text -> tokenizer.id(text).orElseThrow()).toArray();
    this.preamble = preamble;
  }

  static boolean fits(Tokenizer tokenizer) {
    return MARKERS.stream().allMatch(text -> tokenizer.id(text).isPresent());
  }

  @Override
  public String name() {
    return ChatFormat.LLAMA3.toString();
  }

  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    IntBuffer out = new IntBuffer();
    out.add(markers[0]);
    if (system.isPresent() || !preamble.isEmpty()) {
      message("system", preamble + system.map(ChatText::strip).orElse(""), out);
    }
    message("user", ChatText.strip(user), out);
    header("assistant", "", out);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    IntBuffer out = new IntBuffer();
    out.add(markers[3]);
    message("user", ChatText.strip(user), out);
    header("assistant", "", out);
    return out.toArray();
  }

  private void message(String role, String content, IntBuffer out) {
    header(role, content, out);
    out.add(markers[3]);
  }

  /// The line break of a header and the content are one text.
  private void header(String role, String content, IntBuffer out) {
    out.add(markers[1]);
    out.addAll(tokenizer.encode(role, false));
    out.add(markers[2]);
    out.addAll(tokenizer.encode("\n\n" + content, false));
  }
}
