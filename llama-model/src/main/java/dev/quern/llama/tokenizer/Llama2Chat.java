package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Optional;

/// Llama 2's format (Meta's `chat_completion`): `<s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser
/// [/INST] reply </s><s>[INST] user [/INST]`.
///
/// Its tags are ordinary text, so a content that holds one is refused, as Meta's code does.
final class Llama2Chat implements ChatTemplate {
  private static final List<String> TAGS = List.of("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>");

  private final Tokenizer tokenizer;

  Llama2Chat(Tokenizer tokenizer) {
    if (!tokenizer.isSentencePiece() || tokenizer.bos().isEmpty() || tokenizer.eos().isEmpty()) {
      throw new TokenizerException(
          "chat: Llama 2's frame in a vocabulary of another kind, expected the kind llama with BOS and EOS; name another frame with --chat-template, or use plain completion with this model");
    }
    this.tokenizer = tokenizer;
  }

  @Override
  public String name() {
    return ChatFormat.LLAMA2.toString();
  }

  /// White space is removed around system text and question together, as the template does.
  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    ChatText.refuse(user, TAGS);
    system.ifPresent(text -> ChatText.refuse(text, TAGS));
    IntBuffer out = new IntBuffer();
    turn(system.map(text -> "<<SYS>>\n" + text + "\n<</SYS>>\n\n").orElse("") + user, out);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    ChatText.refuse(user, TAGS);
    IntBuffer out = new IntBuffer();
    out.add(tokenizer.eos().getAsInt());
    turn(user, out);
    return out.toArray();
  }

  private void turn(String content, IntBuffer out) {
    out.add(tokenizer.bos().getAsInt());
    out.addAll(tokenizer.encode("[INST] " + ChatText.strip(content) + " [/INST]", false));
  }
}
